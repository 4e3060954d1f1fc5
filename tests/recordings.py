"""The recorded files of tests/data, replayed against the emulator, and the reasons why it differs from some rows."""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from emulator import Config, running_in_thread
from emulator.conformance.cases import Case, table
from emulator.conformance.replay import Answer
from tests.conftest import DATA, data, write_key_pair
from tests.recorded_rows import read, rules
from tests.replaying import replay, target_of

RECORDED = DATA / "recorded"
PROFILES: Mapping[str, str] = {
    "v1.12.0-identity.jsonl": "v1",
    "v1.12.0-database.jsonl": "v1",
    "v2.8.3-identity.jsonl": "v2.8",
    "v2.8.3-database.jsonl": "v2.8",
    "http_raw.json": "v2.8",
    "fuzz_open.json": "v2.8",
    "rules_2_14.json 2.8.3": "v2.8",
    "rules_2_14.json 2.14": "v2.14",
}
"""Each recording, and the profile that gives its responses."""


def cases(recording: str) -> list[Case]:
    name, _, release = recording.partition(" ")
    path = RECORDED / f"{name}.gz"
    return list(rules(path, release) if release else read(path))


@cache
def replayed(recording: str) -> list[Answer]:
    """What the emulator makes of the rows that are not held by tests/conformance, which holds those that ship."""
    return outcomes(not_shipped(cases(recording), PROFILES[recording]), PROFILES[recording])


def not_shipped(recorded: Iterable[Case], profile: str) -> list[Case]:
    """The cases that are not in the table of a profile, or are held less exactly there: without a clock that is set."""
    shipped = {
        (case.request, case.masks, case.closed, case.turns) for case in table(profile).cases if not _is_timed(case)
    }
    return [case for case in recorded if (case.request, case.masks, case.closed, case.turns) not in shipped]


def _is_timed(case: Case) -> bool:
    return case.group in {"expiry", "two faults"}


def outcomes(recorded: list[Case], profile: str) -> list[Answer]:
    """What a new emulator with the key of the recordings makes of the cases.

    It publishes nothing, so each database that a recorded case created is added after that case.
    """
    with tempfile.TemporaryDirectory() as folder:
        private, public = write_key_pair(Path(folder), int(data("test_key.json")["scalar"]))
        config = Config(spacetime_profile=profile, jwt_priv_key_path=private, jwt_pub_key_path=public)
        with running_in_thread(config) as emulator:
            target, found = target_of(emulator.url), list[Answer]()
            for part, created in _in_order(recorded):
                found += replay(target, part, emulator.clock.freeze)
                if created is not None:
                    emulator.spacetime.add_database(*created)
            return found


_CREATED = re.compile(
    rb"\r\nspacetime-identity: (\w{64})\r\n.*"
    rb'\{"Success":\{"domain":(?:null|"([^"]+)"),"database_identity":"(\w{64})","op":"created"\}\}\Z',
    re.DOTALL,
)


_CHANGES = re.compile(rb"\A(POST|PUT|DELETE) /v1/database\b.*HTTP/1\.1 200 ", re.DOTALL)


def _in_order(recorded: list[Case]) -> Iterator[tuple[list[Case], tuple[str, str | None, str] | None]]:
    """The cases in parts that can be sent at once: each that changes names or databases is a part of its own.

    With it come the owner, name and identity of the database that it created.
    """
    part: list[Case] = []
    for case in recorded:
        if _CHANGES.search(case.request + case.response):
            created = _CREATED.search(case.response)
            yield part, None
            yield [case], _owner_name_identity(created) if created else None
            part = []
        else:
            part.append(case)
    yield part, None


def _owner_name_identity(created: re.Match[bytes]) -> tuple[str, str | None, str]:
    owner, name, identity = created.groups()
    return owner.decode(), name.decode() if name else None, identity.decode()


# --- rows that do not hold --------------------------------------------------------------------------------------------


class Reason(NamedTuple):
    """Why the response to some requests is another than the recorded one."""

    text: str
    applies: Callable[[Case], object]


def _matching(pattern: bytes) -> Callable[[Case], object]:
    """Whether the request matches."""
    search = re.compile(pattern, re.DOTALL).search
    return lambda case: search(case.request)


def _head(case: Case) -> bytes:
    return case.request.partition(b"\r\n\r\n")[0]


def _bare_line_feed(case: Case) -> bool:
    return re.search(rb"(?<!\r)\n", _head(case)) is not None


def _not_one_host(case: Case) -> bool:
    return b" HTTP/1.1\r\n" in case.request and len(re.findall(rb"\r\nHost:", _head(case), re.IGNORECASE)) != 1


def _long_header(case: Case) -> bool:
    return any(len(line) > _LONGEST_HEADER for line in _head(case).split(b"\r\n")[1:])


def _half_closed(case: Case) -> bool:
    return any(step.do == "shut" for step in case.steps)


_LONGEST_HEADER = 65_535
_METHODS = b"DELETE|GET|HEAD|POST|PUT|CONNECT|OPTIONS|TRACE|PATCH"

OUT_OF_REACH = (
    Reason("HTTP/2 is not supported", _matching(rb"\APRI \* HTTP/2")),
    Reason("aiohttp's parser knows few methods, in upper case", _matching(rb"\A(?!(%s) )\w+ " % _METHODS)),
    Reason("aiohttp's parser wants a carriage return before a line feed", _bare_line_feed),
    Reason("aiohttp's parser takes only ASCII in the target", _matching(rb"\A\w+ [^\r ]*[\x80-\xff]")),
    Reason(
        "aiohttp's parser refuses `Content-Length` with `Transfer-Encoding`",
        _matching(rb"\r\nContent-Length:.*\r\nTransfer-Encoding:|\r\nTransfer-Encoding:.*\r\nContent-Length:"),
    ),
    Reason(
        "aiohttp's parser refuses a second `Content-Length`", _matching(rb"\r\nContent-Length:.*\r\nContent-Length:")
    ),
    Reason("aiohttp's parser takes chunks in HTTP/1.0", _matching(rb"\A\w+ \S+ HTTP/1\.0\r\n.*\r\nTransfer-Encoding:")),
    Reason(
        "aiohttp's parser refuses a body with a bad chunk, also one that nobody reads",
        _matching(rb"\r\nTransfer-Encoding: chunked\r\n([^\r\n]+\r\n)*\r\n(?![0-9a-fA-F]+[\r;])"),
    ),
    Reason("aiohttp from 3.14 on wants exactly one `Host`", _not_one_host),
    Reason("a head can't have the 512 KiB that hyper accepts", _long_header),
    Reason(
        "a client that ends its side of the connection gets no response; real servers give one, or none", _half_closed
    ),
    Reason("`/identity` at the root is Intuition's", _matching(rb"\A\w+ /identity[/ ?]")),
    Reason(
        "a route of SpacetimeDB that is not emulated", _matching(rb"\A\w+ /(v1/(energy|metrics|mcp)|internal)[/ ?]")
    ),
)
"""Kinds of requests that the emulator does not answer, or not as recorded."""

REASONS = (
    *OUT_OF_REACH,
    Reason("databases are not published", _matching(rb"\A(POST /v1/database|PUT /v1/database/[^/ ]+)[ ?]")),
    Reason("databases have no module", _matching(rb"\A\w+ /v1/database/[^/ ]+/(call|schema|logs|sql|route)[/ ?]")),
    Reason("requests to an MCP server are not answered", _matching(rb"\APOST /v1/database/[^/ ]+/mcp[ ?]")),
    Reason(
        "names that a failed publishing left, and a database that was deleted before the recording",
        _matching(rb"\AGET /v1/database/(bad-mod|gone)\d?[/ ]"),
    ),
)
"""Tried in this order; a row that differs and is in none of them is a mistake."""


def reason_of(case: Case) -> Reason | None:
    """Only for rows that differ: others can be of its kind, and hold."""
    return next((reason for reason in REASONS if reason.applies(case)), None)


def unexplained(found: Iterable[Answer]) -> dict[str, str]:
    """The rows that differ for no reason, and in what."""
    return {each.case.name: str(each.difference) for each in found if each.difference and not reason_of(each.case)}
