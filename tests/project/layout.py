"""The floors of the house. `python -m tests.project.layout` draws them into ARCHITECTURE.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

FLOORS: list[tuple[str, str, list[str]]] = [
    (
        "ground",
        "time, chance, refusals, Rust's sentences, old worlds",
        ["clock", "errors", "graveyard", "ground", "hints", "layers", "version", "rust"],
    ),
    (
        "nouns",
        "values and pure decisions",
        [
            "exchange",
            "inquiry",
            "journal",
            "report",
            "operation",
            "description",
            "steps",
            "faults",
            "actors",
            "config",
            "spacetime.model",
            "spacetime.operations",
            "spacetime.openapi",
            "spacetime.email",
            "spacetime.shapes",
            "spacetime.validation",
            "spacetime.credentials",
            "intuition.model",
            "intuition.operations",
            "intuition.openapi",
            "intuition.listing",
            "intuition.rows",
            "intuition.shapes",
            "intuition.credentials",
            "scenario.source",
            "scenario.model",
            "scenario.tree",
            "scenario.reading",
            "scenario.meaning",
            "scenario.checking",
            "scenario.schema",
        ],
    ),
    (
        "memory",
        "everything that is remembered",
        [
            "spacetime.store",
            "intuition.store",
            "world",
            "stage",
            "snapshot",
            "handles",
            "handle",
            "tokens",
            "scenario.finding",
            "scenario.applying",
            "scenario.python",
            "scenario.beginning",
        ],
    ),
    (
        "doors",
        "HTTP in, HTTP out",
        [
            "axum",
            "web",
            "spacetime.auth",
            "spacetime.handlers",
            "intuition.auth",
            "intuition.handlers",
            "caller",
            "faulty",
            "guard",
            "control",
            "openapi",
        ],
    ),
    ("roof", "the wiring and the socket", ["app", "server", "remote", "testclient"]),
    ("keys", "the command and the pytest plugin", ["cli", "commands", "pytest_client", "pytest_settings"]),
]

# Third-party modules and the lowest floor that may import them; `only` names the one module that may.
MAY_IMPORT = {"aiohttp": 3, "click": 5, "pytest": 5, "pytest_asyncio": 5}
ONLY = {
    "cryptography": "spacetime.credentials",
    "Crypto": "intuition.model",
    "tiny_keccak": "intuition.model",
    "ruamel": "scenario.reading",
}

PACKAGES = {"spacetime", "intuition", "control", "commands", "handles", "scenario"}
"""Their roots hold no code."""

BEGIN, END = "<!-- floors: begin -->", "<!-- floors: end -->"


def modules() -> Iterator[tuple[str, Path]]:
    """Each module below `emulator`, without the package's name."""
    for path in sorted((ROOT / "emulator").rglob("*.py")):
        parts = path.relative_to(ROOT / "emulator").with_suffix("").parts
        name = ".".join(parts).removesuffix("__init__").removesuffix(".")
        if name not in {"", "__main__", *PACKAGES}:
            yield name, path


def floor_of(module: str) -> int | None:
    """The floor a module lives on; `rust.escape` lives where `rust` does."""
    for number, (_, _, rooms) in enumerate(FLOORS):
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return None


def imports(path: Path) -> Iterator[str]:
    """Everything a file imports, also inside functions; not what only a type checker sees."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}".removeprefix("emulator.")
                yield f"emulator.{inner}" if floor_of(inner) is not None and "emulator" in node.module else node.module


def diagram() -> str:
    """The floors, the roof on top."""
    lines = ["```text"]
    for number, (name, what, rooms) in reversed(list(enumerate(FLOORS))):
        lines.append(f"{number}  {name:<7} {what}")
        lines.extend(f"   {' ' * 7} {line}" for line in _wrapped(rooms, 88))
    return "\n".join([*lines, "```"])


def _wrapped(rooms: list[str], width: int) -> list[str]:
    lines = [""]
    for room in rooms:
        if len(lines[-1]) + len(room) > width:
            lines.append("")
        lines[-1] += f"{room}  "
    return [line.rstrip() for line in lines]


def with_diagram(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{diagram()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    page = ROOT / "ARCHITECTURE.md"
    page.write_text(with_diagram(page.read_text(encoding="utf-8")), encoding="utf-8")
