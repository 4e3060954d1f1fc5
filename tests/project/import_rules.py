"""The import rules of the package as data. `python -m tests.project.import_rules` draws them into ARCHITECTURE.md."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

LAYERS: list[Mapping[str, str]] = [
    {"conformance": "recorded answers of real servers, and what differs in those of any server"},
    {"core": "time, chance, errors, copy-on-write maps"},
    {
        "journal": "recorded exchanges: queries, assertions, reports",
        "faults": "steps and kinds of faults, and which one applies",
    },
    {"http": "requests, responses and routing, as the real servers have them"},
    {"services": "the two emulated APIs; rust has what both say because they are written in Rust"},
    {"world": "one state of both services, and how it is replaced"},
    {"scenario": "files that describe a world: read, checked, applied"},
    {"control": "the handle that tests use, in process and over HTTP, and the control routes"},
    {"tokens": "broken tokens for tests of error handling", "__init__": "what `import emulator` offers"},
    {"server": "the socket, and every effect on the wire"},
    {
        "cli": "the command",
        "pytest_plugin": "what the plugin needs once it is used",
        "identity_emulator_names": "who else has the names `emulator` and `conftest_plugin`",
    },
    {"__main__": "python -m emulator", "conftest_plugin": "hooks and fixtures"},
]
"""From the lowest to the highest. A file imports from its own folder and from lower layers only."""

LAZY = {"__init__": {"server", "tokens"}}
"""What a file may import though it is not below it, if not at once: `emulator.running` is imported when asked for."""

FIRST_WITH = {"aiohttp": "http", "click": "cli", "pytest": "pytest_plugin", "pytest_asyncio": "pytest_plugin"}
"""Third-party modules, and the lowest folder that may import them."""

TESTS_OF_USERS = ("conformance.test_conformance",)
"""Files that pytest collects from the installed package."""

ONLY_IN = {
    "cryptography": (
        "services.spacetimedb.signing_keys",
        "services.spacetimedb.issuers.keys",
        "services.spacetimedb.issuers.played",
        "server.tls",
        "conformance.tokens",
    ),
    "jwt": ("services.spacetimedb.issuers.played",),
    "Crypto": ("services.intuition.content_address",),
    "tiny_keccak": ("services.intuition.content_address",),
    "certifi": ("server.tls",),
    "trustme": ("server.tls",),
    "ruamel": ("scenario.yaml_reader",),
    "websockets": ("server.framing",),
}
"""Third-party modules, and the files that alone import them."""

ALONE = {"conformance": ("cli",)}
"""Folders that import nothing else of the package, so that they can't share its mistakes, and who imports them."""

STRANGERS = ("services.spacetimedb", "services.intuition")
"""Folders that never import each other."""

Files = Mapping[str, str]
"""Sources by module name, without `emulator.`: `services.rust.serde`; a package's own file is named as the package."""


def package() -> Files:
    """The package as it is, and the plugin."""
    tops = ("conftest_plugin", "identity_emulator_names")
    found = {name: (ROOT / f"{name}.py").read_text(encoding="utf-8") for name in tops}
    for path in sorted((ROOT / "emulator").rglob("*.py")):
        parts = path.relative_to(ROOT / "emulator").with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def layer_of(module: str) -> int | None:
    """The place of a module's folder in the order, None for one that has none."""
    folder = module.partition(".")[0]
    return next((number for number, layer in enumerate(LAYERS) if folder in layer), None)


def broken_rules(files: Files) -> list[str]:
    """Every import that is against the rules, in words; each circle of files once."""
    return [
        *(f"{name} has no layer" for name in files if layer_of(name) is None),
        *_upward(files),
        *_strangers(files),
        *_not_alone(files),
        *_libraries(files),
        *_circles(files),
    ]


def _upward(files: Files) -> Iterator[str]:
    for name in files:
        for imported, put_off in _own_imports(files, name):
            own, other = layer_of(name), layer_of(imported)
            same_folder = name.partition(".")[0] == imported.partition(".")[0]
            lazy = put_off and imported.partition(".")[0] in LAZY.get(name, ())
            if own is not None and other is not None and not same_folder and other >= own and not lazy:
                yield f"{name} imports {imported}, which is not below it"


def _strangers(files: Files) -> Iterator[str]:
    for name in files:
        for imported, _ in _own_imports(files, name):
            if {_stranger(name), _stranger(imported)} == set(STRANGERS):
                yield f"{name} imports {imported}: the services don't know each other"


def _not_alone(files: Files) -> Iterator[str]:
    for name in files:
        folder = name.partition(".")[0]
        for imported, _ in _own_imports(files, name):
            other = imported.partition(".")[0]
            if folder in ALONE and other != folder:
                yield f"{name} imports {imported}: {folder} imports nothing else of the package"
            if other in ALONE and folder not in {other, *ALONE[other]}:
                yield f"{name} imports {imported}, which is for {' and '.join(ALONE[other])} alone"


def _stranger(module: str) -> str | None:
    return next((each for each in STRANGERS if module == each or module.startswith(f"{each}.")), None)


def _libraries(files: Files) -> Iterator[str]:
    for name in files:
        for imported, _ in _imports(files[name]):
            library, own = imported.partition(".")[0], layer_of(name)
            first = layer_of(FIRST_WITH[library]) if library in FIRST_WITH else None
            if first is not None and own is not None and own < first and name not in TESTS_OF_USERS:
                yield f"{name} imports {library}, which is for {FIRST_WITH[library]} and above"
            if name not in ONLY_IN.get(library, (name,)):
                yield f"{name} imports {library}, which is for {' and '.join(ONLY_IN[library])} alone"


def _circles(files: Files) -> Iterator[str]:
    """Of files that import each other; a package's own file apart."""
    packages = {name for name in files if any(other.startswith(f"{name}.") for other in files)} | {"__init__"}
    graph = {
        name: sorted({other for other, _ in _own_imports(files, name)} - packages - {name})
        for name in files
        if name not in packages
    }
    done: set[str] = set()
    for start in graph:
        yield from _circles_from(start, graph, [], done)


def _circles_from(name: str, graph: Mapping[str, list[str]], way: list[str], done: set[str]) -> Iterator[str]:
    if name in way:
        yield "a circle: " + " -> ".join([*way[way.index(name) :], name])
    elif name not in done:
        for other in graph.get(name, ()):
            yield from _circles_from(other, graph, [*way, name], done)
        done.add(name)


def _own_imports(files: Files, name: str) -> Iterator[tuple[str, bool]]:
    """The files of the package that a file imports, and whether that is put off."""
    for imported, put_off in _imports(files[name]):
        inner = imported.removeprefix("emulator.") if imported.startswith("emulator.") else imported.partition(".")[0]
        while inner and inner not in files:
            inner = inner.rpartition(".")[0]
        if inner and (imported.startswith("emulator.") or inner in {"conftest_plugin", "identity_emulator_names"}):
            yield inner, put_off


@cache
def _imports(source: str) -> list[tuple[str, bool]]:
    """Everything a file imports, under TYPE_CHECKING and inside functions too: `module.name`, for each name."""
    tree = ast.parse(source)
    inside = {id(inner) for node in ast.walk(tree) if _puts_off(node) for inner in ast.walk(node)}
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports here are absolute"
            found += [(f"{node.module}.{alias.name}", id(node) in inside) for alias in node.names]
    return found


def _puts_off(node: ast.AST) -> bool:
    """Whether imports in it happen later, or for type checkers only."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


# --- the diagram ------------------------------------------------------------------------------------------------------

BEGIN, END = "<!-- layers: begin -->", "<!-- layers: end -->"


def diagram() -> str:
    """The layers, the highest first."""
    lines = ["```text"]
    for layer in reversed(LAYERS):
        lines.extend(f"{folder:<16} {what}" for folder, what in layer.items())
        lines.append("")
    return "\n".join([*lines[:-1], "```"])


def with_diagram(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{diagram()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    architecture = ROOT / "ARCHITECTURE.md"
    architecture.write_text(with_diagram(architecture.read_text(encoding="utf-8")), encoding="utf-8")
