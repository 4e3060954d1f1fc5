"""A parsed document, with file, line and column of every value."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

Step = str | int
Path = tuple[Step, ...]
"""Keys and list indexes, from the top."""

_LONGEST_TEXT = 1000
"""Characters of a problem."""
_PLAIN_KEY = re.compile(r"[\w-]+")


class Mark(NamedTuple):
    """A position in a file; line and column count from 1. All empty for a document that is not a file."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(NamedTuple):
    """A mistake in a document."""

    mark: Mark
    path: Path
    text: str

    def __str__(self) -> str:
        place = " ".join(filter(None, (str(self.mark), dotted(self.path))))
        text = self.text if len(self.text) <= _LONGEST_TEXT else f"{self.text[:_LONGEST_TEXT]} …"
        return f"{place}: {text}" if place else text


def dotted(path: Path) -> str:
    """Like `script[2].do.status`; keys with other characters than letters, digits, `_` and `-` are quoted."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in path]
    return "".join(parts).removeprefix(".")


def _key(key: str) -> str:
    return key[:60] if _PLAIN_KEY.fullmatch(key) else '"' + key[:60].replace('"', '\\"') + '"'


Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value and its position. `marks` are the positions of a mapping's keys, `raw` is the source text of a scalar.

    `size` is the number of nodes in it and `text` of characters, aliases counted at each use; `depth` is the depth of
    nesting.
    """

    value: "dict[str, Node] | list[Node] | Scalar"
    mark: Mark
    path: Path
    raw: str = ""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    size: int = 1
    text: int = 0
    depth: int = 1

    def get(self, step: Step) -> "Node | None":
        value = self.value
        if isinstance(value, dict) and isinstance(step, str):
            return value.get(step)
        if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            return value[step]
        return None

    def find(self, path: Path) -> "Node | None":
        """The node at a path."""
        found: Node | None = self
        for step in path:
            found = found.get(step) if found else None
        return found

    def keys(self, *path: str) -> list[str]:
        """The keys of the mapping at a path, empty without such a mapping."""
        found = self.find(path)
        return list(found.value) if found and isinstance(found.value, dict) else []

    def problem(self, path: Path, text: str) -> Problem:
        """A mistake at a path, with the nearest known position: that of the key, in a mapping."""
        node, mark = self, self.mark
        for done, step in enumerate(path):
            mark = node.marks.get(step, mark) if isinstance(step, str) else mark
            below = node.get(step)
            if below is None:
                return Problem(mark, node.path + path[done:], text)
            node = below
            mark = node.mark if isinstance(step, int) else mark
        return Problem(mark, node.path, text)


def plain(node: Node) -> Any:
    """The value without positions."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def without(node: Node, key: str) -> Node:
    """A mapping without a key."""
    assert isinstance(node.value, dict)
    return replace(node, value={name: each for name, each in node.value.items() if name != key})


def replaced(node: Node, path: Path, by: Node) -> Node:
    """The document with another node at the path of one that is there, through mappings."""
    if not path:
        return by
    assert isinstance(node.value, dict)
    key = str(path[0])
    return replace(node, value={**node.value, key: replaced(node.value[key], path[1:], by)})


def moved(node: Node, path: Path) -> Node:
    """A document of its own as a part of another; its marks stay those of its own file."""
    value = node.value
    if isinstance(value, dict):
        return replace(node, path=path, value={key: moved(each, (*path, key)) for key, each in value.items()})
    if isinstance(value, list):
        return replace(node, path=path, value=[moved(each, (*path, at)) for at, each in enumerate(value)])
    return replace(node, path=path)


def layered(layers: Iterable[Node]) -> Node:
    """One document of several layers: later ones override earlier ones key by key; scripts and stubs are joined."""
    below, *above = layers
    for layer in above:
        below = _over(layer, below, ())
    return below


_CONCATENATED = {("script",), ("stubs",)}


def _over(above: Node, below: Node, path: Path) -> Node:
    if path in _CONCATENATED and isinstance(above.value, list) and isinstance(below.value, list):
        return replace(above, value=[*below.value, *above.value])
    if not isinstance(above.value, dict) or not isinstance(below.value, dict):
        return below if above.value is None and isinstance(below.value, dict) else above
    merged = dict(below.value)
    for key, each in above.value.items():
        merged[key] = _over(each, merged[key], (*path, key)) if key in merged else each
    return replace(above, value=merged, marks={**below.marks, **above.marks})
