"""The page of a world and its exchanges as a file of its own: what a failed test leaves behind."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from emulator.control.actors import LocalActor
from emulator.control.api.page_files import INDEX, SCRIPT, STYLE, page_file
from emulator.control.connections import as_json as connection_json
from emulator.control.inspected_token import inspected
from emulator.control.issuers import LocalIssuers
from emulator.control.issuers import as_json as issuer_json
from emulator.control.state import state_json
from emulator.core.errors import Misconfigured
from emulator.core.files import PRIVATE, SHARED, write_whole
from emulator.core.version import VERSION
from emulator.journal.exchange import Exchange
from emulator.journal.html_report import PageTexts, html_report
from emulator.journal.recorded import recorded
from emulator.journal.shown import Shown
from emulator.services.spacetimedb.issuers.key_set import KeySet, NoKeys
from emulator.services.spacetimedb.store import Store
from emulator.world.stage import Stage

ANSWERS = ("state", "scenario", "faults", "stubs", "actors", "connections", "issuers")
"""What a file has of the world, each as GET of this path below `/_emulator/`."""
_MOST_ACTORS = 100


class Reported(Protocol):
    """An emulator, here or in another process."""

    url: str

    def _heading(self) -> tuple[str, str]: ...
    def _answers(self) -> dict[str, Any]: ...
    def _inspected(self, token: str, micros: int) -> Mapping[str, Any] | None: ...


def report_page(
    emulator: Reported, exchanges: Sequence[Exchange], *, title: str, notes: Sequence[str], secrets: bool
) -> str:
    """The text of the file. Raises Misconfigured when a remote emulator does not answer."""
    heading, lost = emulator._heading()
    found = recorded(exchanges, emulator.url, emulator._inspected, secrets=secrets)
    shown = Shown.of(exchanges, secrets=secrets)
    answers = shown.json(emulator._answers())
    left_out = {
        f"{found.earlier} earlier exchanges, for which there is no room": found.earlier,
        f"the bodies of the first {found.without_bodies} exchanges, for which there is no room": found.without_bodies,
    }
    return html_report(
        PageTexts(*(page_file(name).content.decode() for name in (INDEX, STYLE, SCRIPT))),
        {
            "title": title,
            "written": answers["state"]["clock"]["now"],
            "url": emulator.url,
            "version": VERSION,
            "heading": heading,
            "notes": [*filter(None, [lost]), *filter(left_out.get, left_out), *map(shown.text, notes)],
            "masked": not secrets,
            "rows": found.rows,
            "answers": {**answers, "journal": {"exchanges": found.exchanges}},
            "curls": found.curls,
            "inspections": found.inspections,
        },
    )


def write_page(path: Path, text: str, *, private: bool) -> Path:
    """Write the file, and its folders. A private one is readable by its owner only. Raises Misconfigured."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"can't write {path}: {getattr(error, 'strerror', None) or error}") from None
    write_whole(path, text.encode(), "", PRIVATE if private else SHARED)
    return path


def answers(stage: Stage, url: str) -> dict[str, Any]:
    """Those of a world in this process, with its first actors."""
    world = stage.settled_world()
    steps = [fault.to_json() for fault in world.faults]
    named = islice((each.name for each in world.actors if not each.crowd), _MOST_ACTORS)
    issuers = LocalIssuers(stage, url).values() if world.spacetime.has_issuers else ()
    return {
        "state": state_json(stage),
        "scenario": {"scenario": list(world.scenario), "steps": steps},
        "faults": {"faults": steps},
        "stubs": {"stubs": [stub.to_json() for stub in world.stubs]},
        "actors": {"actors": {name: LocalActor(stage, name).to_json() for name in named}},
        "connections": {"connections": [connection_json(each) for each in world.connections]},
        "issuers": {"issuers": [issuer_json(each) for each in issuers]},
    }


def inspected_now(token: str, store: Store, micros: int) -> Mapping[str, Any]:
    """What a world says to a token, without waiting for the keys of an issuer."""
    if not store.has_issuers:
        return inspected(token, store, micros)
    from emulator.services.spacetimedb.issuers.registry import KeysNeeded

    def keys_of(issuer: str) -> KeySet | NoKeys:
        try:
            return store.keys_of(issuer)
        except KeysNeeded:
            return NoKeys("its keys were not fetched")

    return inspected(token, store, micros, keys_of)
