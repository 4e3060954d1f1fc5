"""Cases: what is sent to a server, and what a faithful one says. Those of a profile are a table, packed in `tables`.

`python -m tests.project.conformance_tables` chooses and packs them.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from emulator.conformance.compare import MINTED

PROFILES = ("documented", "v1", "v2.8", "v2.14", "intuition")
"""What a server can be held against: SpacetimeDB's page and releases, and Intuition's page."""
ALIASES: Mapping[str, str] = {"v2": "v2.14"}
"""Other names of profiles, the same as in the releases' table, which is not imported here."""

Frame = tuple[int, bytes]
"""Of a WebSocket: the first byte, and the payload."""


class Step(NamedTuple):
    """`send` bytes, `sleep` seconds, `wait` until so many responses came in all, `shut` the sending side.

    `fill` is `send` with members of the last response in the places of their names (`replay.filled`).
    """

    do: str
    argument: Any = None


@dataclass(frozen=True)
class Turn:
    """What the client says on a WebSocket, and what the server then says, without its pings."""

    sent: bytes
    frames: tuple[Frame, ...]
    ends: bool
    """Whether the connection ends then."""


@dataclass(frozen=True)
class Case:
    name: str
    steps: tuple[Step, ...]
    response: bytes
    """All responses to the case, as they came; empty when there was none."""
    closed: bool | None = False
    """Whether the server then closed the connection; None if that was not recorded."""
    moment: datetime | None = None
    """When it was recorded, to a second; None if it does not matter."""
    masks: tuple[str, ...] = MINTED
    """Names of `compare.MASKS`."""
    group: str = ""
    """What it is about, in a word: a line of the report."""
    rule: str = ""
    """What it shows, in a sentence: the reason why it was chosen."""
    evidence: str = "recorded"
    """One of the marks of docs/fidelity.md: recorded, run, source, page, inferred, invented."""
    needs: tuple[str, ...] = ()
    """Names of `NEEDS`."""
    turns: tuple[Turn, ...] = ()
    """What is said on a WebSocket after the 101 that is its response."""

    @property
    def request(self) -> bytes:
        return b"".join(step.argument for step in self.steps if step.do in {"send", "fill"})

    @property
    def kind(self) -> str:
        return "websocket" if self.turns else "http"


PAGE = "page"
"""The group of what a documentation page says. A server may have all of a page, and nothing else."""

NEEDS: Mapping[str, str] = {
    "keys": "its tokens must be signed with the target's key (--jwt-priv-key-path, --jwt-pub-key-path)",
    "database": "it asks for a database of the target (--database)",
    "api_key": "it needs an API key of the target (--api-key)",
}
"""What a case may need of whoever runs it, and what is said when it is left out without."""


class Table(NamedTuple):
    """The cases of a profile."""

    profile: str
    about: str
    """Where they are from, in a sentence or two."""
    cases: tuple[Case, ...]


@cache
def table(profile: str) -> Table:
    """Raises KeyError for an unknown profile."""
    if profile not in PROFILES:
        raise KeyError(profile)
    return unpacked((files(__package__) / "tables" / f"{profile}.jsonl.gz").read_bytes())


def packed(table: Table) -> bytes:
    """As JSON lines, compressed: a line about the table, then one for each case. The same for the same cases."""
    rows = ({"profile": table.profile, "about": table.about}, *map(_row, table.cases))
    lines = (json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows)
    return gzip.compress("".join(lines).encode(), 9, mtime=0)


def unpacked(data: bytes) -> Table:
    first, *rows = map(json.loads, gzip.decompress(data).splitlines())
    return Table(first["profile"], first["about"], tuple(map(_case, rows)))


# --- a row: bytes are text of as many characters, and what a case usually has is left out -----------------------------


def _row(case: Case) -> dict[str, Any]:
    row = {
        "name": case.name,
        "group": case.group,
        "rule": case.rule,
        "evidence": case.evidence,
        "needs": case.needs,
        "steps": [[step.do, _text(step.argument)] for step in case.steps],
        "response": _text(case.response),
        "closed": case.closed,
        "moment": case.moment and int(case.moment.timestamp()),
        "masks": case.masks,
        "turns": [
            [_text(turn.sent), [[first, _text(data)] for first, data in turn.frames], turn.ends] for turn in case.turns
        ],
    }
    return {name: value for name, value in row.items() if value != _USUAL.get(name, ...)}


_USUAL: Mapping[str, Any] = {"evidence": "recorded", "needs": (), "closed": False, "masks": MINTED, "turns": []}


def _case(row: Mapping[str, Any]) -> Case:
    whole = {**_USUAL, **row}
    moment = whole["moment"]
    return Case(
        name=whole["name"],
        steps=tuple(Step(do, _bytes(argument)) for do, argument in whole["steps"]),
        response=_bytes(whole["response"]),
        closed=whole["closed"],
        moment=moment and datetime.fromtimestamp(moment, UTC),
        masks=tuple(whole["masks"]),
        group=whole["group"],
        rule=whole["rule"],
        evidence=whole["evidence"],
        needs=tuple(whole["needs"]),
        turns=tuple(_turns(whole["turns"])),
    )


def _turns(rows: Iterable[Any]) -> Iterator[Turn]:
    for sent, frames, ends in rows:
        yield Turn(_bytes(sent), tuple((first, _bytes(data)) for first, data in frames), ends)


def _text(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(value: Any) -> Any:
    return value.encode("latin-1") if isinstance(value, str) else value
