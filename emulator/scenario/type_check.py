"""Checks a document against the format: all wrong types, missing keys and unknown keys at once.

`msgspec.convert` stops at the first mistake and does not know its position. Values with mistakes are left out here, so
that the rest can be converted, and go through the semantic check too.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from emulator.core.suggestions import Suggest, limited_suggestions
from emulator.scenario.document import Node, Path, Problem, plain
from emulator.scenario.schema import Scenario
from emulator.scenario.semantic_check import senseless

_WRONG = object()
"""A value with a mistake, to be left out."""


def checked(tree: Node) -> tuple[Scenario, list[Problem]]:
    """The scenario without values that have mistakes, and all mistakes."""
    suggest = limited_suggestions()
    walk = _Walk(suggest)
    found = walk.value(tree, _format(), ())
    scenario = msgspec.convert({"version": 1, **walk.rest} if found is _WRONG else found, Scenario)
    meaning = [tree.problem(walk.place(path), text) for path, text in senseless(tree, scenario, suggest)]
    around = {each.path[:depth] for each in walk.problems for depth in range(len(each.path) + 1)}
    # A value inside may have been left out, and the problem exist only because of that.
    problems = [*walk.problems, *(problem for problem in meaning if problem.path not in around)]
    return scenario, sorted(dict.fromkeys(problems), key=lambda problem: problem.mark)


@cache
def _format() -> inspect.Type:
    """It takes a third of what a small scenario does."""
    return inspect.type_info(Scenario)


class _Walk:
    def __init__(self, suggest: Suggest) -> None:
        self._suggest = suggest
        self.problems: list[Problem] = []
        self.rest: dict[str, Any] = {}
        """The valid parts of a document whose `version` is missing or wrong."""
        self._kept: dict[Path, list[int]] = {}
        """The original indexes of the values of a list that were not left out."""

    def place(self, path: Path) -> Path:
        """The path in the document of a path in the converted value."""
        placed: Path = ()
        for step in path:
            placed = (*placed, self._kept[placed][step] if isinstance(step, int) and placed in self._kept else step)
        return placed

    def value(self, node: Node, kind: inspect.Type, at: Path) -> Any:
        """The value of a node, or `_WRONG` when it does not fit the type."""
        if isinstance(kind, inspect.AnyType):
            return plain(node)
        fitting = next((each for each in _members(kind) if _fits(node, each)), None)
        if fitting is None:
            return self._wrong(node, f"expected {_words(kind)}, got {_seen(node, kind)}")
        if isinstance(fitting, inspect.StructType):
            return self._struct(node, fitting, at)
        if isinstance(fitting, inspect.DictType):
            return self._mapping(node, fitting.value_type, at)
        if isinstance(fitting, inspect.VarTupleType):
            return self._list(node, [fitting.item_type] * len(_items(node)), at)
        if isinstance(fitting, inspect.TupleType):
            pair = self._list(node, list(fitting.item_types), at)
            return pair if len(pair) == len(fitting.item_types) else _WRONG
        return self._scalar(node, fitting)

    def _wrong(self, node: Node, text: str) -> Any:
        self.problems.append(Problem(node.mark, node.path, text))
        return _WRONG

    def _struct(self, node: Node, kind: inspect.StructType, at: Path) -> Any:
        fields = {each.encode_name: each.type for each in kind.fields}
        known = [key for key in _entries(node) if self._known(node, key, fields)]
        found = {key: self.value(_entries(node)[key], fields[key], (*at, key)) for key in known}
        good = {key: each for key, each in found.items() if each is not _WRONG}
        needed = [each.encode_name for each in kind.fields if each.required]
        for name in needed:
            if name not in found:
                self.problems.append(Problem(node.mark, (*node.path, name), "missing"))
        if good.keys() >= set(needed):
            return good
        self.rest = good
        return _WRONG

    def _known(self, node: Node, key: str, fields: Mapping[str, object]) -> bool:
        if key in fields:
            return True
        text = f"unknown key, {self._suggest(key, fields)}"
        self.problems.append(Problem(node.marks.get(key, node.mark), (*node.path, key), text))
        return False

    def _mapping(self, node: Node, kind: inspect.Type, at: Path) -> Any:
        found = {key: self.value(each, kind, (*at, key)) for key, each in _entries(node).items()}
        return {key: each for key, each in found.items() if each is not _WRONG}

    def _list(self, node: Node, kinds: list[inspect.Type], at: Path) -> Any:
        pairs = enumerate(zip(_items(node), kinds, strict=True))
        found = [self.value(each, kind, (*at, number)) for number, (each, kind) in pairs]
        self._kept[at] = [number for number, each in enumerate(found) if each is not _WRONG]
        return [found[number] for number in self._kept[at]]

    def _scalar(self, node: Node, kind: inspect.Type) -> Any:
        if isinstance(kind, inspect.LiteralType) and node.value not in kind.values:
            meant = self._suggest(node.raw, map(str, kind.values))
            return self._wrong(node, f"{node.raw[:60]!r} is not allowed here; {meant}")
        if isinstance(kind, inspect.IntType | inspect.FloatType):
            assert isinstance(node.value, int | float)
            if kind.ge is not None and node.value < kind.ge:
                return self._wrong(node, f"{node.raw[:60]} is too small; the limit is {kind.ge}")
            if kind.le is not None and node.value > kind.le:
                return self._wrong(node, f"{node.raw[:60]} is too large; the limit is {kind.le}")
        return node.value


def _entries(node: Node) -> dict[str, Node]:
    assert isinstance(node.value, dict)
    return node.value


def _items(node: Node) -> list[Node]:
    assert isinstance(node.value, list)
    return node.value


def _members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _is_whole(node: Node) -> bool:
    return isinstance(node.value, int) and not isinstance(node.value, bool)


_KINDS: list[tuple[type[inspect.Type], str, Callable[[Node, Any], bool]]] = [
    (inspect.NoneType, "", lambda node, _: node.value is None),
    (inspect.StructType, "a mapping", lambda node, _: isinstance(node.value, dict)),
    (inspect.DictType, "a mapping", lambda node, _: isinstance(node.value, dict)),
    (inspect.VarTupleType, "a list", lambda node, _: isinstance(node.value, list)),
    (
        inspect.TupleType,
        "a list of two",
        lambda node, kind: isinstance(node.value, list) and len(node.value) == len(kind.item_types),
    ),
    (inspect.LiteralType, "", lambda node, kind: type(node.value) is type(kind.values[0])),
    (inspect.BoolType, "true or false", lambda node, _: isinstance(node.value, bool)),
    (inspect.IntType, "a whole number", lambda node, _: _is_whole(node)),
    (inspect.FloatType, "a number", lambda node, _: _is_whole(node) or isinstance(node.value, float)),
    (inspect.StrType, "text", lambda node, _: isinstance(node.value, str)),
]


def _fits(node: Node, kind: inspect.Type) -> bool:
    return next(fits(node, kind) for each, _, fits in _KINDS if isinstance(kind, each))


def _words(kind: inspect.Type) -> str:
    """The name of a type, like `text or a list`."""
    return " or ".join(dict.fromkeys(filter(None, map(_word, _members(kind)))))


def _word(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType):
        return " or ".join(map(str, kind.values))
    return next(word for each, word, _ in _KINDS if isinstance(kind, each))


def _seen(node: Node, wanted: inspect.Type) -> str:
    """The value found instead, with a hint to quote it when a string is expected."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return f"a list of {len(node.value)}"
    if node.value is None:
        return "nothing"
    textual = any(isinstance(each, inspect.StrType | inspect.LiteralType) for each in _members(wanted))
    hint = "; put it in quotes" if textual and not isinstance(node.value, str) else ""
    shown = repr(node.value)[:60] if isinstance(node.value, str) else node.raw[:60]
    return f"{shown}{hint}"
