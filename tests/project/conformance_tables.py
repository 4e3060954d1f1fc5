"""Chooses the cases of each profile and packs them. `python -m tests.project.conformance_tables` writes the files."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

from emulator.conformance.cases import Case, Table, packed
from emulator.conformance.tokens import payloads, signed_tokens
from tests.project import written_cases
from tests.project.conformance_changes import as_2_14, as_documented
from tests.project.conformance_rules import rule_of
from tests.project.database_cases import (
    conversations_of_v1,
    conversations_of_v2,
    conversations_of_v2_14,
    routes,
    routes_of_v2_14,
    sessions,
)
from tests.project.import_rules import ROOT
from tests.recorded_rows import read
from tests.recordings import OUT_OF_REACH, RECORDED, cases

FOLDER = ROOT / "emulator" / "conformance" / "tables"
MOST_ALIKE = 6
"""Chosen of those with the same rule, route and text but for its values."""


class Source(NamedTuple):
    """Where some cases of a table are from."""

    about: str
    cases: Callable[[], Iterable[Case]]
    evidence: str = "recorded"
    whole: bool = False
    """Whether all of them are taken, as they are, with their own groups, rules and evidence."""


def handshakes() -> list[Case]:
    return read(RECORDED / "v2.8.3-handshake.jsonl.gz")


def of_release(release: str) -> Iterator[Case]:
    yield from cases(f"{release}-identity.jsonl")
    yield from cases(f"{release}-database.jsonl")
    if release == "v2.8.3":
        yield from handshakes()


def health() -> list[Case]:
    return [case for case in cases("v2.8.3-identity.jsonl") if case.request.startswith(b"GET /v1/health")]


def mutations_2_14() -> list[Case]:
    """Random changes of tokens and paths: but for one, 2.14 said what 2.8.3 said."""
    differing = {case.request for case in cases("rules_2_14.json 2.14")}
    return [case for case in cases("fuzz_open.json") if case.request not in differing]


_V2_8 = (
    Source("recorded from a SpacetimeDB server of v2.8.3", partial(of_release, "v2.8.3")),
    Source("run with the HTTP, JSON and JWT libraries of v2.8.3", partial(cases, "fuzz_open.json"), "run"),
    Source("run with the token validation of v2.8.3", partial(cases, "rules_2_14.json 2.8.3"), "run"),
    Source("databases of that server", partial(routes, "v2.8.3"), whole=True),
    Source("WebSockets of that server", conversations_of_v2, whole=True),
)
_WEBSOCKETS_OF_2_14 = (
    Source("WebSockets of v2.8.3, by the source of later releases", conversations_of_v2_14, whole=True),
    Source("public code of 2.10.2", sessions, whole=True),
    Source("inferred from what v2.8.3 said, where nothing is known to differ", routes_of_v2_14, whole=True),
)

_RUN_2_14 = "run with the token validation of 2.14.0 within the routes of v2.8.3"
_V2_14 = (
    Source(_RUN_2_14, partial(cases, "rules_2_14.json 2.14"), "run"),
    Source(_RUN_2_14, mutations_2_14, "run"),
    Source(
        "inferred from what v2.8.3 said, where nothing is known to differ",
        lambda: as_2_14(of_release("v2.8.3")),
        "inferred",
    ),
)


def _as_documented(source: Source) -> Source:
    about = "where the page says nothing, the same as v2.14, run or inferred"
    return Source(about, lambda: as_documented(source.cases()), "inferred")


def _edges(accepted: int, negative: str, text: str) -> Source:
    cases_of = partial(written_cases.edges_of_expiry, accepted, negative, text)
    return Source("the edges of expiry by the source of the release", cases_of, whole=True)


_TO_THE_MICROSECOND = _edges(59, "expired", "Invalid token: ExpiredSignature")

SOURCES: Mapping[str, tuple[Source, ...]] = {
    "v1": (
        Source("recorded from a SpacetimeDB server of v1.12.0", partial(of_release, "v1.12.0")),
        Source("health as v2.8.3 says it", health, "inferred"),
        Source("databases of that server", partial(routes, "v1.12.0"), whole=True),
        Source("WebSockets of that server", conversations_of_v1, whole=True),
        _edges(60, "never expires", "TokenError(Error(ExpiredSignature))"),
    ),
    "v2.8": (*_V2_8, _edges(60, "never expires", "Invalid token: ExpiredSignature")),
    "v2.14": (*_V2_14, *_WEBSOCKETS_OF_2_14, _TO_THE_MICROSECOND),
    "documented": (
        Source("from SpacetimeDB's documentation page, not recorded", written_cases.documented, whole=True),
        *map(_as_documented, _V2_14),
        *_WEBSOCKETS_OF_2_14,
        _TO_THE_MICROSECOND,
    ),
    "intuition": (
        Source(
            "from the documentation page of Intuition, not recorded: the service no longer exists",
            written_cases.intuition,
            whole=True,
        ),
    ),
}
"""By profile; of cases alike, those of an earlier source are chosen."""


@cache
def table(profile: str) -> Table:
    sources = SOURCES[profile]
    whole = [case for source in sources if source.whole for case in source.cases()]
    found = [case for source in sources if not source.whole for case in _of(source)]
    about = "; ".join(dict.fromkeys(source.about for source in sources))
    return Table(profile, about, tuple(_named([*whole, *_chosen(found)])))


def _of(source: Source) -> Iterator[Case]:
    for case in source.cases():
        rule = rule_of(case)
        if rule is not None and why_not(case) is None:
            yield _ready(replace(case, group=rule.group, rule=rule.text, evidence=_evidence(case, source)))


def _evidence(case: Case, source: Source) -> str:
    """Its own, if it is not as it was recorded."""
    return case.evidence if case.evidence != "recorded" else source.evidence


# --- what is chosen ---------------------------------------------------------------------------------------------------


def _chosen(found: Iterable[Case]) -> Iterator[Case]:
    counts: Counter[tuple[str, bytes, bytes]] = Counter()
    for case in found:
        kind = case.rule, _route(case.request), _shape(case.response)
        counts[kind] += 1
        if counts[kind] <= MOST_ALIKE:
            yield case


_VALUES = re.compile(rb'`[^`]*`|(?<!Error\()"(?:[^"\\]|\\.)*"|(?<=issuer )\S+|\d+')


def _route(request: bytes) -> bytes:
    line = request.partition(b"\r\n")[0].partition(b"?")[0].partition(b" HTTP/")[0]
    return re.sub(rb"(?<=/identity/)[^/]+(?=/)|(?<=/database/)[^/]+", b":", line)[:60]


def _shape(response: bytes) -> bytes:
    """Status and text without values; whether a token, a PEM or nothing came with it."""
    head, _, body = response.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0] + _VALUES.sub(b"", body[:300])


def _named(chosen: Iterable[Case]) -> Iterator[Case]:
    """Each with a name of its own."""
    counts: Counter[str] = Counter()
    for case in chosen:
        counts[case.name] += 1
        yield replace(case, name=f"{case.name} ({counts[case.name]})") if counts[case.name] > 1 else case


# --- what can be sent to a server that matters ------------------------------------------------------------------------

_WRITES = re.compile(
    rb"(?:\A|\n)(?:(?!GET|HEAD|OPTIONS)\w+ /v1/database[/ ?]|POST /v1/identity/[0-9a-f]{64}/set-email\?)"
)
_FETCHED = re.compile(rb'"iss"\s*:\s*"(?!http://127\.0\.0\.1:[19][/"])[^"]*://')
_LISTED = re.compile(rb"/databases.*\n\nHTTP/1\.[01] 200 (?!.*\r\ncontent-length: 17\r\n)", re.DOTALL)
_OWNERS = re.compile(rb"/identity/c20035600353a2e9[0-9a-f]{48}/databases")
"""Of most databases of the recordings."""
_ENCODED = re.compile(rb"[\w.-]{40}%[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}[\w.-]{40}")


WHY_NOT: Mapping[str, Callable[[Case], object]] = {
    "it would change a database, its names or an e-mail address": lambda case: _WRITES.search(case.request),
    "the server would ask another host for keys": lambda case: any(map(_FETCHED.search, payloads(case.request))),
    "its token is escaped within the query, and can't be made anew": lambda case: _ENCODED.search(case.request),
    "the emulator can't answer it as recorded, most often because of aiohttp's parser": lambda case: any(
        reason.applies(case) for reason in OUT_OF_REACH
    ),
    "it depends on the databases that there are, or on a route that is not emulated": lambda case: (
        rule_of(case) is None
        or _OWNERS.search(case.request)
        or _LISTED.search(b"%b\n\n%b" % (case.request, case.response))
    ),
}
"""Why a recorded case is not sent to any server; the first that is true."""


def why_not(case: Case) -> str | None:
    return next((text for text, applies in WHY_NOT.items() if applies(case)), None)


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "conformance.md"
BEGIN, END = "<!-- recorded rows that are not sent: begin -->", "<!-- recorded rows that are not sent: end -->"
ALIKE = f"{MOST_ALIKE} that show the same are there"


def not_sent() -> str:
    """How many recorded rows are not in the tables, and why, for the page."""
    releases = {"v1.12.0": "v1", "v2.8.3": "v2.8"}
    counts = {release: Counter[str | None](map(why_not, of_release(release))) for release in releases}
    for release, profile in releases.items():
        recorded = {(case.request, case.response) for case in of_release(release)}
        sent = sum((case.request, case.response) in recorded and not case.turns for case in table(profile).cases)
        counts[release][ALIKE] = counts[release][None] - sent
        counts[release]["sent"] = sent
    lines = [f"| why | {' | '.join(releases)} |", "| --- | --- | --- |"]
    for reason in (*WHY_NOT, ALIKE, "sent"):
        numbers = " | ".join(str(each[reason]) for each in counts.values())
        lines += [f"| {reason} | {numbers} |"]
    return "\n".join(lines)


def shown(page: str) -> str:
    return page.partition(BEGIN)[2].partition(END)[0].strip()


# --- what a case needs, and what else may vary in it ------------------------------------------------------------------

_BEFORE_SIGNATURES = re.compile(
    rb"\r\n\r\n(Invalid token: |TokenError\(Error\()(JSON|Json|Base64|InvalidToken)|\r\n\r\nAuthorization "
)
_IGNORES_TOKENS = re.compile(
    rb"\AOPTIONS |\A\w+ /v1/(identity|identity/public-key|identity/[^/ ]+/databases|health)[ ?]|\A\w+ /identity"
)
_DECIDED_BY_PATH = re.compile(rb"\AHTTP/1\.[01] (404|405)|\r\n\r\nInvalid URL: ")


def _ready(case: Case) -> Case:
    # That a WebSocket stays open would be waited for.
    closed = None if case.response.startswith(b"HTTP/1.1 101 ") else case.closed
    return replace(case, needs=tuple(_needs(case)), masks=(*case.masks, *_more_masks(case)), closed=closed)


def _needs(case: Case) -> Iterator[str]:
    if signed_tokens(case.request) and not _holds_with_any_key(case):
        yield "keys"
    if case.response.startswith(b"HTTP/1.1 101 ") or b"no valid protocol selected" in case.response:
        yield "database"


def _holds_with_any_key(case: Case) -> bool:
    """Whether the response comes before the signature of the token is looked at."""
    if _BEFORE_SIGNATURES.search(case.response) or _IGNORES_TOKENS.search(case.request):
        return True
    return b" /v1/database" not in case.request and _DECIDED_BY_PATH.search(case.response) is not None


def _more_masks(case: Case) -> Iterator[str]:
    if b" /v1/health" in case.request:
        yield from ("version", "content-length")
    if b"BEGIN PUBLIC KEY" in case.response:
        yield "public key"


def main() -> None:
    for profile in SOURCES:
        (FOLDER / f"{profile}.jsonl.gz").write_bytes(packed(table(profile)))
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{not_sent()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
