"""Scenarios and their base scenarios (`extends`), merged into one document and checked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.scenario.document import Mark, Node, Problem, layered, moved, plain, replaced, without
from emulator.scenario.encoding import mistaken_spaces
from emulator.scenario.locate import HERE, SUFFIX, CannotRead, bundled_path, files_of, is_python, located
from emulator.scenario.schema import Scenario
from emulator.scenario.type_check import checked
from emulator.scenario.yaml_reader import LARGEST, Unreadable, read, read_json
from emulator.world.config import Inline, Source, is_bundled_name

__tracebackhide__ = is_misconfigured

_MOST_EMBEDDED = 50_000
"""Values in the files that a scenario names."""
_ISSUERS = ("spacetime", "issuers")
_MOST_SHOWN = 100
_MOST_LAYERS = 100
"""In one list of scenarios."""
_DEEPEST = 30
"""Files, each of which extends the next."""
_MOST_READ = 16 * LARGEST
"""Bytes. A device can go on for ever."""


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
    reading = _Reading(tuple(folders))
    layers = tuple(layers)
    if len(layers) > _MOST_LAYERS:
        raise Misconfigured(f"{len(layers)} scenarios; the limit is {_MOST_LAYERS}")
    return _found(reading, (tree for given in layers for tree in reading.trees(given)))


def _found(reading: "_Reading", layers: Iterable[Node]) -> Found:
    try:
        tree = layered(list(layers))
    except Unreadable as error:
        raise Misconfigured(_lines(_sorted([*error.problems, *reading.mistaken_spaces()]))) from None
    scenario, problems = checked(tree)
    problems = [*reading.problems, *problems]
    return Found(tree, scenario, tuple(_sorted([*problems, *reading.mistaken_spaces()] if problems else [])))


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.mark)


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
        self._texts: list[tuple[bytes, str]] = []
        self._embedded = 0

    def mistaken_spaces(self) -> Iterator[Problem]:
        return (problem for data, shown in self._texts for problem in mistaken_spaces(data, shown))

    def trees(self, given: Source) -> Iterator[Node]:
        """The layers of one document, base scenarios first."""
        self._extended.clear()
        if isinstance(given, Inline):
            yield from self._layers(read_json(given.json), None, ())
        elif is_bundled_name(given):
            yield from self._file(bundled_path(str(given)), f"{given}{SUFFIX}", ())
        else:
            assert not callable(given)
            yield from self._file(Path(str(located(given, self._folders))), str(given), ())

    def _file(self, path: Path, shown: str, chain: tuple[Path, ...]) -> Iterator[Node]:
        resolved = path.resolve()
        if resolved not in self._read:
            try:
                with files_of(path), path.open("rb") as file:
                    data = file.read(_MOST_READ)
            except OSError as error:
                raise CannotRead(shown, error) from None
            self._read[resolved] = self._parsed(data, shown)
        yield from self._layers(self._read[resolved], path.parent, (*chain, resolved))

    def text(self, data: bytes, shown: str, folder: Path) -> Iterator[Node]:
        """The layers of the text of a file."""
        yield from self._layers(self._parsed(data, shown), folder, ())

    def _parsed(self, data: bytes, shown: str) -> Node:
        self._texts.append((data, shown))
        tree, problems = read(data, shown)
        self.problems += problems
        return tree

    def _layers(self, tree: Node, folder: Path | None, chain: tuple[Path, ...]) -> Iterator[Node]:
        if not isinstance(tree.value, dict):
            raise Unreadable([Problem(tree.mark, (), "a scenario is a mapping that starts with `version: 1`")])
        tree = self._with_key_sets(tree, folder)
        assert isinstance(tree.value, dict)
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

    def _with_key_sets(self, tree: Node, folder: Path | None) -> Node:
        """The document with the content of the files that `spacetime.issuers` names."""
        for url in tree.keys(*_ISSUERS):
            path = (*_ISSUERS, url, "jwks")
            node = tree.find(path)
            if node is not None and isinstance(node.value, str):
                tree = replaced(tree, path, self._key_set(node, folder))
        return tree

    def _key_set(self, named: Node, folder: Path | None) -> Node:
        """The node of a key set's file; without one, or with mistakes in it, an empty set."""
        try:
            if folder is None:
                raise Misconfigured("a document without a file can't name one; put the key set itself here")
            found = Path(str(located(Path(str(named.value)), [folder])))
            with files_of(found), found.open("rb") as file:
                data = file.read(_MOST_READ)
            if not data.strip():
                raise Misconfigured(f"{found.name} is empty")
            tree, problems = read(data, found.name)
            self._embedded += tree.size
            if self._embedded > _MOST_EMBEDDED:
                raise Misconfigured(f"more than {_MOST_EMBEDDED} values in files of key sets")
            if problems or not isinstance(tree.value, dict):
                raise Misconfigured(str(problems[0]) if problems else f"{found.name} is no JSON object")
        except OSError as error:
            self.problems.append(Problem(named.mark, named.path, str(CannotRead(str(named.value), error))))
        except Unreadable as error:
            self.problems.append(Problem(named.mark, named.path, str(error.problems[0])))
        except Misconfigured as error:
            self.problems.append(Problem(named.mark, named.path, str(error)))
        else:
            return moved(tree, named.path)
        return replace(named, value={"keys": replace(named, value=[], path=(*named.path, "keys"))})

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
    """All mistakes in a scenario; empty when it is valid. Raises CannotRead."""
    if is_python(given):
        return [Problem(Mark(given), (), "a Python scenario can't be validated, only run")]
    return _problems(lambda: find([given]))


def problems_in(data: bytes, shown: str) -> list[Problem]:
    """All mistakes in the text of a file; messages name it `shown`."""
    reading = _Reading(HERE)
    return _problems(lambda: _found(reading, reading.text(data, shown, Path())))


def _problems(found: Callable[[], Found]) -> list[Problem]:
    try:
        return list(found().problems)
    except CannotRead:
        raise
    except Misconfigured as error:
        return [Problem(Mark(), (), line) for line in str(error).split("\n")]
