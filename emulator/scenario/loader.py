"""Scenarios and their base scenarios (`extends`), merged into one document and checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.scenario.document import Mark, Node, Problem, layered, plain, without
from emulator.scenario.locate import HERE, SUFFIX, bundled_path, is_python, located
from emulator.scenario.schema import Scenario
from emulator.scenario.type_check import checked
from emulator.scenario.yaml_reader import Unreadable, read, read_json
from emulator.world.config import Inline, Source, is_bundled_name

__tracebackhide__ = is_misconfigured

_MOST_SHOWN = 100
_MOST_LAYERS = 100
"""In one list of scenarios."""
_DEEPEST = 30
"""Files, each of which extends the next."""


@dataclass(frozen=True)
class Found:
    """A document and its mistakes."""

    tree: Node
    scenario: Scenario
    problems: tuple[Problem, ...]

    def good(self) -> "Found":
        """Raises Misconfigured with all mistakes, one per line."""
        if self.problems:
            raise Misconfigured(_lines(self.problems))
        return self

    @property
    def plain(self) -> dict[str, Any]:
        """The document as plain JSON, merged with its base scenarios."""
        found: dict[str, Any] = plain(self.tree)
        return found


def _lines(problems: Iterable[Problem]) -> str:
    lines = list(map(str, problems))
    more = [f"and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
    return "\n".join(lines[:_MOST_SHOWN] + more)


def find(layers: Iterable[Source], folders: Iterable[Path] = HERE) -> Found:
    """The merged document of all layers. Raises Misconfigured when a layer can't be found or parsed."""
    layers = tuple(layers)
    if len(layers) > _MOST_LAYERS:
        raise Misconfigured(f"{len(layers)} scenarios; the limit is {_MOST_LAYERS}")
    try:
        reading = _Reading(tuple(folders))
        tree = layered([tree for given in layers for tree in reading.trees(given)])
    except Unreadable as error:
        raise Misconfigured(_lines(error.problems)) from None
    scenario, problems = checked(tree)
    return Found(tree, scenario, tuple(sorted([*reading.problems, *problems], key=lambda problem: problem.mark)))


class _Reading:
    """Reads documents and their base scenarios; paths are relative to the folder of the file that names them.

    Each file is read once. One that a document extends in several ways is one layer of it, the lowest.
    """

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        self._read: dict[Path, Node] = {}
        self._extended: set[Path] = set()
        """By the document that is read now."""
        self.problems: list[Problem] = []

    def trees(self, given: Source) -> Iterator[Node]:
        """The layers of one document, base scenarios first."""
        self._extended.clear()
        if isinstance(given, Inline):
            yield from self._layers(read_json(given.json), None, ())
        elif is_bundled_name(given):
            yield from self._file(bundled_path(str(given)), f"{given}{SUFFIX}", ())
        else:
            assert isinstance(given, str | Path)
            yield from self._file(Path(str(located(given, self._folders))), str(given), ())

    def _file(self, path: Path, shown: str, chain: tuple[Path, ...]) -> Iterator[Node]:
        resolved = path.resolve()
        if resolved not in self._read:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise Misconfigured(f"can't read the scenario {shown}: {error.strerror}") from None
            self._read[resolved], problems = read(data, shown)
            self.problems += problems
        yield from self._layers(self._read[resolved], path.parent, (*chain, resolved))

    def _layers(self, tree: Node, folder: Path | None, chain: tuple[Path, ...]) -> Iterator[Node]:
        if not isinstance(tree.value, dict):
            raise Unreadable([Problem(tree.mark, (), "a scenario is a mapping that starts with `version: 1`")])
        if "extends" not in tree.value:
            yield tree
            return
        extends = tree.value["extends"]
        named = extends.value if isinstance(extends.value, list) else [extends]
        names = [each for each in named if isinstance(each.value, str)]
        if len(names) < len(named):
            yield tree  # the type check reports it
            return
        for each in names[:_MOST_LAYERS]:
            yield from self._below(each, folder, chain)
        if len(names) > _MOST_LAYERS:
            self.problems.append(
                Problem(extends.mark, extends.path, f"{len(names)} names; the limit is {_MOST_LAYERS}")
            )
        yield without(tree, "extends")

    def _below(self, named: Node, folder: Path | None, chain: tuple[Path, ...]) -> Iterator[Node]:
        name = str(named.value)
        try:
            path, shown = self._base(name, folder)
        except Misconfigured as error:
            self.problems.append(Problem(named.mark, named.path, str(error)))
            return
        resolved = path.resolve()
        if resolved in chain:
            self.problems.append(Problem(named.mark, named.path, f"{name} already extends this file"))
        elif len(chain) >= _DEEPEST:
            self.problems.append(
                Problem(named.mark, named.path, f"more than {_DEEPEST} files, each extending the next")
            )
        elif resolved not in self._extended:
            self._extended.add(resolved)
            yield from self._file(path, shown, chain)

    @staticmethod
    def _base(name: str, folder: Path | None) -> tuple[Path, str]:
        if is_bundled_name(name):
            return bundled_path(name), f"{name}{SUFFIX}"
        if folder is None:
            raise Misconfigured("a document without a file can extend bundled scenarios only")
        if is_python(name):
            raise Misconfigured("a file can't extend a Python scenario")
        found = located(name, [folder])
        return Path(str(found)), name


def problems_of(given: str) -> list[Problem]:
    """All mistakes in a scenario; empty when it is valid."""
    if is_python(given):
        return [Problem(Mark(given), (), "a Python scenario can't be validated, only run")]
    try:
        return list(find([given]).problems)
    except Misconfigured as error:
        return [Problem(Mark(), (), line) for line in str(error).splitlines()]
