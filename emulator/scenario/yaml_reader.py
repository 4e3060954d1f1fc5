"""Parses YAML 1.2, and JSON as a subset of it, into nodes with positions.

The parser's events are handled one by one, so that limits on nesting and on the size of expanded aliases hold. Tags are
mistakes, so a document can't name Python code.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.core.encodings import wide
from emulator.scenario.document import Mark, Node, Path, Problem, Scalar

LARGEST = 1024 * 1024
"""The most bytes of a document."""
_DEEPEST = 64
_MOST_NODES = 50_000
_TOO_MUCH = f"more than {_MOST_NODES} values, aliases counted at each use; use `crowd` for many rows"
_MOST_TEXT = 4 * LARGEST
_TOO_MUCH_TEXT = f"more than {_MOST_TEXT} characters, aliases counted at each use"
_HALF = "an unpaired surrogate"
_LONGEST_NUMBER = 300
"""The most digits. A number with fewer can be a float too."""
_TOO_LONG = "the number is too long"

# The core schema of YAML 1.2 (10.3.2). `no`, `on` and `2024-02-15` are strings.
_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Unreadable(Exception):
    """A document that can't be parsed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def read(data: bytes, file: str) -> tuple[Node, list[Problem]]:
    """The nodes of a file, and its mistakes as YAML. Raises Unreadable when it can't be parsed."""
    top = Mark(file, 1, 1)
    if len(data) > LARGEST:
        raise Unreadable([Problem(top, (), f"{len(data)} bytes; the limit is {LARGEST}; use `crowd` for many rows")])
    if (encoding := wide(data)) is not None:
        said = f"it is {encoding}, not UTF-8; saved by PowerShell's `>`? Save it as UTF-8"
        raise Unreadable([Problem(top, (), said)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable([Problem(Mark(file, line, 1), (), "it is not UTF-8")]) from None
    if file.endswith(".json"):
        text = _as_yaml(text)
    return _built(text, file)


def read_plain(value: Any) -> Node:
    """The nodes of a JSON value without a file. Raises Unreadable."""
    return _plain_node(value, (), Mark(), iter(range(_MOST_NODES)))


def read_json(text: str) -> Node:
    """The nodes of a JSON text without a file. Raises Unreadable."""
    if len(text) > LARGEST:
        raise Unreadable([Problem(Mark(), (), f"{len(text)} characters; the limit is {LARGEST}")])
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Unreadable([Problem(Mark(), (), f"not JSON: {error}")]) from None
    except RecursionError:
        raise Unreadable([Problem(Mark(), (), f"nested deeper than {_DEEPEST}")]) from None
    return read_plain(value)


def _plain_node(value: Any, path: Path, mark: Mark, budget: Iterator[int]) -> Node:
    if next(budget, None) is None:
        raise Unreadable([Problem(mark, path, _TOO_MUCH)])
    if len(path) >= _DEEPEST:
        raise Unreadable([Problem(mark, path[:3], f"nested deeper than {_DEEPEST}")])
    if any(_broken(text) for text in (value if isinstance(value, dict) else [value]) if isinstance(text, str)):
        raise Unreadable([Problem(mark, path, _HALF)])
    if isinstance(value, dict):
        return Node({key: _plain_node(each, (*path, key), mark, budget) for key, each in value.items()}, mark, path)
    if isinstance(value, list):
        return Node([_plain_node(each, (*path, at), mark, budget) for at, each in enumerate(value)], mark, path)
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable([Problem(mark, path, "not a valid JSON number")])
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_NUMBER:
        raise Unreadable([Problem(mark, path, _TOO_LONG)])
    return Node(value, mark, path, raw=str(value).lower() if isinstance(value, bool) else str(value))


_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _as_yaml(text: str) -> str:
    """JSON that YAML parses equally: without tabs between tokens and without escaped surrogate pairs."""

    def character(found: re.Match[str]) -> str:
        return found[1] + bytes.fromhex(found[2] + found[3]).decode("utf-16-be")

    return _PAIR.sub(character, text.replace("\t", " "))


# --- events to nodes --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A list or a mapping whose end is not reached yet; `nodes` of a mapping alternate between keys and values."""

    mark: Mark
    path: Path
    anchor: str | None
    mapping: bool
    nodes: list[Node] = field(default_factory=list)

    @property
    def at_key(self) -> bool:
        return self.mapping and len(self.nodes) % 2 == 0

    def next_path(self) -> Path:
        """The path of the next node; a key has the path of its mapping."""
        if not self.mapping:
            return (*self.path, len(self.nodes))
        return self.path if self.at_key else (*self.path, self.nodes[-1].raw)


def _built(text: str, file: str) -> tuple[Node, list[Problem]]:
    builder = _Builder(file)
    for event in _events(text, file):
        builder.take(event)
    if builder.root is None:
        raise Unreadable([Problem(Mark(file, 1, 1), (), "the document is empty; start with `version: 1`")])
    return builder.root, builder.problems


def _events(text: str, file: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(file, at.line + 1, at.column + 1) if at else Mark(file, 1, 1)
        said = " ".join(filter(None, (error.context, error.problem))) or "it can't be read"
        raise Unreadable([Problem(mark, (), f"not YAML: {' '.join(said.split())}")]) from None
    except YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        raise Unreadable([Problem(Mark(file, line, 1), (), "not YAML: a character that is not allowed")]) from None
    except Exception as error:  # ruamel lets other exceptions through, as for the escape "\UFFFFFFFF"
        raise Unreadable([Problem(Mark(file, 1, 1), (), f"not YAML: {error}")]) from error


class _Builder:
    """Builds nodes from events."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = self._nodes = 0

    def take(self, event: Any) -> None:
        what = type(event).__name__
        mark = Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)
        if getattr(event, "tag", None) is not None:
            self._wrong(mark, f"tags such as {str(event.tag)[:60]} are not allowed")
        if what == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise Unreadable([Problem(mark, (), "a second document; a file can have only one")])
        elif what in {"MappingStartEvent", "SequenceStartEvent"}:
            self._begin(_Open(mark, self._path(), event.anchor, mapping=what == "MappingStartEvent"))
        elif what in {"MappingEndEvent", "SequenceEndEvent"}:
            self._end()
        elif what == "ScalarEvent":
            self._add(self._scalar(event, mark), event.anchor)
        elif what == "AliasEvent":
            self._alias(event.anchor, mark)

    def _wrong(self, mark: Mark, text: str, path: Path | None = None) -> None:
        self.problems.append(Problem(mark, self._path() if path is None else path, text))

    def _path(self) -> Path:
        return self._stack[-1].next_path() if self._stack else ()

    def _begin(self, opened: _Open) -> None:
        if len(self._stack) >= _DEEPEST:
            raise Unreadable([Problem(opened.mark, (), f"nested deeper than {_DEEPEST}")])
        self._stack.append(opened)

    def _end(self) -> None:
        done = self._stack.pop()
        node = self._mapping(done) if done.mapping else Node(list(done.nodes), done.mark, done.path)
        size = 1 + sum(each.size for each in done.nodes)
        depth = 1 + max((each.depth for each in done.nodes), default=0)
        text = sum(each.text for each in done.nodes)
        if size > _MOST_NODES or depth > _DEEPEST:
            raise Unreadable([Problem(done.mark, done.path, _TOO_MUCH)])
        if text > _MOST_TEXT:
            raise Unreadable([Problem(done.mark, done.path, _TOO_MUCH_TEXT)])
        self._add(replace(node, size=size, text=text, depth=depth), done.anchor)

    def _add(self, node: Node, anchor: str | None = None) -> None:
        if anchor:
            self._anchors[anchor] = node
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise Unreadable([Problem(node.mark, node.path, _TOO_MUCH)])
        if self._stack:
            self._stack[-1].nodes.append(node)
        else:
            self.root = node

    def _alias(self, anchor: str, mark: Mark) -> None:
        node = self._anchors.get(anchor)
        if node is None:
            self._wrong(mark, f"*{anchor} is inside its own anchor or has none")
            node = Node(None, mark, self._path())
        self._add(node)

    def _mapping(self, done: _Open) -> Node:
        value: dict[str, Node] = {}
        marks: dict[str, Mark] = {}
        merged: list[Node] = []
        for key, each in zip(done.nodes[::2], done.nodes[1::2], strict=True):
            if key.raw == "<<":
                merged.extend(each.value if isinstance(each.value, list) else [each])
            elif not isinstance(key.value, str):
                self._wrong(key.mark, "a key must be a string; put it in quotes", done.path)
            elif key.value in value:
                first = marks[key.value]
                self._wrong(key.mark, f"duplicate key; first in line {first.line}", (*done.path, key.value))
            else:
                value[key.value], marks[key.value] = each, key.mark
        for each in merged:
            self._merge(each, value, marks)
        return Node(value, done.mark, done.path, marks=marks)

    def _merge(self, below: Node, value: dict[str, Node], marks: dict[str, Mark]) -> None:
        """`<<: *defaults` adds the keys that the mapping itself does not have."""
        if not isinstance(below.value, dict):
            self._wrong(below.mark, "`<<` needs a mapping", below.path)
            return
        for key, each in below.value.items():
            value.setdefault(key, each)
            marks.setdefault(key, below.marks[key])

    def _scalar(self, event: Any, mark: Mark) -> Node:
        text: str = event.value
        path = self._path()
        if _broken(text):
            self._wrong(mark, _HALF, path)
            text = ""
        if not event.implicit[0]:
            return Node(text, mark, path, raw=text, text=len(text))
        try:
            return Node(_resolved(text), mark, path, raw=text, text=len(text))
        except ValueError as error:
            self._wrong(mark, str(error), path)
            return Node(0, mark, path, raw=text)


def _broken(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def _resolved(text: str) -> Scalar:
    """The value of a scalar without quotes. Raises ValueError for a number that JSON does not have."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text) or _BASED.fullmatch(text):
        if len(text) > _LONGEST_NUMBER:
            raise ValueError(_TOO_LONG)
        return int(text, 0 if text[1:2] in {"o", "x"} else 10)
    if _NOT_FINITE.fullmatch(text) or (_DECIMAL.fullmatch(text) and not math.isfinite(float(text))):
        raise ValueError("not a valid JSON number")
    return float(text) if _DECIMAL.fullmatch(text) else text
