"""The recorded rows that the emulator answers otherwise. `python -m tests.project.differing_rows` writes them down."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from emulator.conformance.compare import Response, responses_in
from emulator.conformance.replay import Answer
from tests.project.import_rules import ROOT
from tests.recordings import REASONS, Reason, cases, reason_of, replayed

PAGE = ROOT / "docs" / "fidelity.md"
BEGIN, END = "<!-- rows that differ: begin -->", "<!-- rows that differ: end -->"
RELEASES: Mapping[str, tuple[str, ...]] = {
    release: tuple(f"{release}-{part}.jsonl" for part in ("identity", "database")) for release in ("v1.12.0", "v2.8.3")
}
"""Recorded from real servers."""


def outcomes_of(release: str) -> Iterator[Answer]:
    for recording in RELEASES[release]:
        yield from replayed(recording)


def differing() -> dict[Reason, dict[str, list[Answer]]]:
    """By reason and release."""
    found: dict[Reason, dict[str, list[Answer]]] = {reason: {} for reason in REASONS}
    for release in RELEASES:
        for outcome in outcomes_of(release):
            reason = reason_of(outcome.case) if outcome.difference else None
            if reason:
                found[reason].setdefault(release, []).append(outcome)
    return {reason: rows for reason, rows in found.items() if rows}


def table() -> str:
    lines = [
        f"With aiohttp {version('aiohttp')}, of {_count()}:",
        "",
        "| why | the shortest request | the real server | the emulator | rows |",
        "| --- | --- | --- | --- | --- |",
        *(_line(reason, rows) for reason, rows in differing().items()),
    ]
    return "\n".join(lines)


def _count() -> str:
    return " and ".join(
        f"{sum(len(cases(each)) for each in RELEASES[release])} rows of {release}" for release in RELEASES
    )


def _line(reason: Reason, rows: Mapping[str, list[Answer]]) -> str:
    shortest = min((row for each in rows.values() for row in each), key=lambda row: len(row.case.request))
    request, real = _request(shortest.case.request), _seen(responses_in(shortest.case.response))
    counts = ", ".join(f"{release}: {len(each)}" for release, each in rows.items())
    return f"| {reason.text} | {request} | {real} | {_seen(shortest.responses)} | {counts} |"


_SHOWN = 100


def _request(request: bytes) -> str:
    text = request.decode("latin-1").replace("\r\n", "⏎").replace("\n", "␊").replace("|", "\\|")
    text = "".join(
        char if char.isprintable() and (char.isascii() or char in "⏎␊") else f"\\x{ord(char):02x}" for char in text
    )
    return f"`{text[:_SHOWN]}…`" if len(text) > _SHOWN else f"`{text}`"


def _seen(responses: Iterable[bytes]) -> str:
    return ", ".join(_statuses(responses)) or "nothing"


def _statuses(responses: Iterable[bytes]) -> Iterator[str]:
    for response in responses:
        status = Response.of(response).status
        yield status.split(b" ")[1].decode() if status.startswith(b"HTTP/") else "HTTP/2"


def shown(page: str) -> str:
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
