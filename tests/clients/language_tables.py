"""The tables of docs/other-languages.md, by trying. `python -m tests.clients.language_tables` writes them down."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import requests

from emulator import Emulator, running_in_thread
from emulator.faults.fault_matrix import Kind
from tests.clients.probes import CLIENTS, LIBRARIES, PROBES, Probe, Probed, built, sender, verifier
from tests.clients.programs import command
from tests.limits import LIMIT
from tests.project import faults_table
from tests.project.faults_table import KINDS, ROUTES, Outcome, Way
from tests.project.import_rules import ROOT

PAGE = ROOT / "docs" / "other-languages.md"
PROFILES = ("documented", "v1", "v2.8", "v2.14")

# --- faults -----------------------------------------------------------------------------------------------------------


def column_of_client(emulator: Emulator, client: Probed, probes: Mapping[str, Probe]) -> list[str]:
    send = sender(client, probes)
    ways = [Way(method, kept) for method in ROUTES for kept in (False, True)]
    return [faults_table.cell({way: _tried(emulator, send, kind, way) for way in ways}) for kind in KINDS]


def _tried(emulator: Emulator, send: Callable[..., str], kind: Kind, way: Way) -> Outcome:
    """What one call meets when the fault meets every request but the one before."""
    emulator.reset()
    path = ROUTES[way.method]
    emulator.faults.add(f"{way.method} {path}", **kind.do)
    seconds = faults_table.PATIENCE if "hang" in kind.do else LIMIT
    before = f"{emulator.url}/v1/ping" if way.kept else ""
    seen = send(method=way.method, url=emulator.url + path, before=before, seconds=seconds)
    # A client that gives up may do so before the server has written its request down.
    emulator.journal.wait_for(way.method, path, timeout=LIMIT)
    return Outcome(_same_everywhere(seen), len([each for each in emulator.journal.exchanges if each.fault]))


def _same_everywhere(seen: str) -> str:
    """Without what depends on the system, the route, and random bytes."""
    short = re.sub(r" \(os error \d+\)|( in JSON)? at (position|line) [\w ]+| (\".*\")(?=`$)", "", seen)
    return short.replace("Connection reset", "connection reset")


def faults(columns: Mapping[str, list[str]]) -> str:
    return faults_table.table(columns)


# --- tokens -----------------------------------------------------------------------------------------------------------


class Token(NamedTuple):
    """A column: its title, and how such a token is made."""

    title: str
    make: Callable[[Emulator], tuple[str, str]]


def _lasting(profile: str) -> Callable[[Emulator], tuple[str, str]]:
    def make(emulator: Emulator) -> tuple[str, str]:
        return _issued(emulator, profile, timedelta(seconds=-10))

    return make


def _short(late: float) -> Callable[[Emulator], tuple[str, str]]:
    """The token of a minute, as the server makes it `late` seconds from now."""

    def make(emulator: Emulator) -> tuple[str, str]:
        token, pem = _issued(emulator, "v2.14", timedelta(seconds=late))
        return _posted(f"{emulator.url}/v1/identity/websocket-token", token)["token"], pem

    return make


def _issued(emulator: Emulator, profile: str, late: timedelta) -> tuple[str, str]:
    emulator.reset(spacetime_profile=profile, freeze_at=datetime.now(UTC) + late)
    token = _posted(f"{emulator.url}/v1/identity")["token"]
    return token, requests.get(f"{emulator.url}/v1/identity/public-key", timeout=LIMIT).text


def _posted(url: str, token: str = "") -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    made: dict[str, str] = requests.post(url, headers=headers, timeout=LIMIT).json()
    return made


TOKENS = (
    *(Token(f"`{profile}`: never expires", _lasting(profile)) for profile in PROFILES),
    Token("a minute", _short(-10)),
    Token("a minute, `iat` still to come", _short(20)),
    Token("a minute, expired", _short(-600)),
)


def row_of_library(emulator: Emulator, library: Probed, probes: Mapping[str, Probe]) -> list[str]:
    verify = verifier(library, probes)
    return [_timeless(verify(*token.make(emulator))) for token in TOKENS]


def _timeless(said: str) -> str:
    """Without the times and amounts in messages."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.Z+]+|\d+(\.\d+)?(h|m|s)\d*[\d.ms]*|\b\d{9,}\b", "…", said).replace("|", "\\|")


def tokens(rows: Mapping[str, list[str]]) -> str:
    head = ["library", *(token.title for token in TOKENS)]
    lines = [head, ["---"] * len(head), *([name, *cells] for name, cells in rows.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# --- what they were made with -----------------------------------------------------------------------------------------


def _version(*arguments: str) -> Callable[[], str]:
    def said() -> str:
        done = subprocess.run([command(arguments[0]), *arguments[1:]], capture_output=True, text=True, check=True)
        [first, *_] = re.findall(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
        return str(first)

    return said


def _pinned(file: str, pattern: str) -> Callable[[], str]:
    def found() -> str:
        [first] = re.findall(pattern, (PROBES / file).read_text(encoding="utf-8"))
        return str(first)

    return found


def _crate(name: str) -> Callable[[], str]:
    return _pinned("rust/Cargo.lock", rf'name = "{name}"\nversion = "(.*)"')


VERSIONS: Mapping[str, Callable[[], str]] = {
    "curl": _version("curl", "--version"),
    "Go net/http": _version("go", "version"),
    "JDK HttpClient": _version("java", "-version"),
    "Node fetch": _version("node", "--version"),
    "reqwest": _crate("reqwest"),
    "PyJWT": lambda: version("pyjwt"),
    "joserfc": lambda: version("joserfc"),
    "Authlib": lambda: version("authlib"),
    "jose (npm)": _pinned("node/package.json", r'"jose": "(.*?)"'),
    "jsonwebtoken (npm)": _pinned("node/package.json", r'"jsonwebtoken": "(.*?)"'),
    "golang-jwt": _pinned("go/go.mod", r"jwt/v5 v(\S+)"),
    "nimbus-jose-jwt": _pinned("java/pom.xml", r"nimbus-jose-jwt</artifactId>\s+<version>(.*?)<"),
    "jsonwebtoken (Rust)": _crate("jsonwebtoken"),
}


def version_here(name: str) -> str:
    """The first two numbers: the tables depend on no more."""
    return ".".join(VERSIONS[name]().split(".")[:2])


def versions_on_page(page: str) -> dict[str, str]:
    listed = re.sub(r"\s+", " ", part(page, "versions")).removeprefix("Made with ").removesuffix(".").split(", ")
    return {name: text for name, _, text in (each.rpartition(" ") for each in listed)}


def made_with() -> str:
    """The line under the tables, in lines as long as the page's."""
    return fill(f"Made with {', '.join(f'{name} {version_here(name)}' for name in VERSIONS)}.", 120)


# --- the page ---------------------------------------------------------------------------------------------------------


def part(page: str, name: str) -> str:
    """What the script has written between two comments."""
    return page.partition(_begin(name))[2].partition(_end(name))[0].strip()


def with_part(page: str, name: str, text: str) -> str:
    before, _, rest = page.partition(_begin(name))
    return f"{before}{_begin(name)}\n{text}\n{_end(name)}{rest.partition(_end(name))[2]}"


def _begin(name: str) -> str:
    return f"<!-- {name}: begin -->"


def _end(name: str) -> str:
    return f"<!-- {name}: end -->"


@contextmanager
def all_probes(folder: Path) -> Iterator[dict[str, Probe]]:
    with ExitStack() as stack:
        probes = {language: built(language, folder / language) for language in ("node", "go", "java", "rust")}
        for probe in probes.values():
            stack.callback(probe.close)
        yield probes


if __name__ == "__main__":
    with running_in_thread() as emulator, tempfile.TemporaryDirectory() as folder, all_probes(Path(folder)) as probes:
        text = PAGE.read_text(encoding="utf-8")
        text = with_part(
            text, "faults", faults({client.title: column_of_client(emulator, client, probes) for client in CLIENTS})
        )
        text = with_part(
            text, "tokens", tokens({each.title: row_of_library(emulator, each, probes) for each in LIBRARIES})
        )
        text = with_part(text, "versions", made_with())
    PAGE.write_text(text, encoding="utf-8")
