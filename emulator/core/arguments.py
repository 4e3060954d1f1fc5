"""Arguments of the handle's methods, checked against their annotations; what is wrong with one, in words.

The words are those of the scenario checker (`emulator.scenario.type_check`). What no wire can carry is refused too,
where it is given: a lone surrogate, a number that is not finite, a value that is not JSON.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, wraps
from itertools import islice
from math import isfinite
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    TypeVar,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from emulator.core.errors import WrongArgument
from emulator.core.examples import EXAMPLES
from emulator.core.suggestions import did_you_mean, nearest

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

Where = tuple[str | int, ...]
"""The argument's name, then keys and indexes."""
Show = Callable[[object], str]
"""Has a value for a message."""

DEEPEST = 100
"""Levels of lists and mappings in a value."""
_SHOWN = 60
"""Characters of a value in a message."""
_MOST_WRONG = 5
"""The most mistakes in one message."""
_ALMOST, _SHORTEST_MISSPELT = 0.85, 5
"""How similar a name is to an argument's that is misspelt, and how long: `kind` is a claim and not `kid`."""

WORDS: Mapping[Any, str] = {
    NoneType: "",
    msgspec.UnsetType: "",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a mapping",
    list: "a list",
    datetime: "a datetime",
    timedelta: "a timedelta",
    Path: "a path",
    bytes: "bytes",
    re.Pattern: "a compiled pattern",
    Callable: "a function",
}
"""What a value of a type is called."""


class Wrong(NamedTuple):
    """A mistake in a value."""

    where: Where
    text: str

    def __str__(self) -> str:
        return f"{dotted(self.where)}: {self.text}" if self.where else self.text


class Judged(NamedTuple):
    """In `Annotated`: this alone says what is wrong with a value (empty: nothing); the type is for type checkers."""

    wrong: Callable[[Any], str]


def dotted(where: Where) -> str:
    """Like `rate_limit.requests` or `databases[0]`."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step[:_SHOWN]}" for step in where)
    return "".join(parts).removeprefix(".").encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """A value in a message: short, in one line."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, str | bytes | int | float | datetime | timedelta | PathLike):
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**_SHOWN else "a long number"
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return _with_article(type(value).__name__)


def shown_as_json(value: object) -> str:
    """As `shown`, of a value that was sent as JSON."""
    return json.dumps(value) if value is None or isinstance(value, bool) else shown(value)


def _with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in {*'aeio'} else 'a'} {name}"


# --- types ------------------------------------------------------------------------------------------------------------


def in_words(kind: Any) -> str:
    """What an annotation takes: `text or a list`, `before or after`."""
    return " or ".join(dict.fromkeys(filter(None, map(_word, _members(kind)))))


def _members(kind: Any) -> Iterator[Any]:
    """The types of a union, else the type itself; without what `Annotated` adds."""
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in {Union, UnionType}:
        for each in get_args(kind):
            yield from _members(each)
    else:
        yield kind


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    if kind in {Any, object}:
        return "a value of JSON"
    if get_origin(kind) is tuple and get_args(kind)[1:] != (...,):
        return "a list of two"
    plain = _plain(kind)
    return WORDS[plain] if plain in WORDS else _with_article(plain.__name__)


def _plain(kind: Any) -> Any:
    """The type that stands for it in `WORDS`."""
    origin = get_origin(kind) or kind
    if isinstance(origin, NewType):
        return _plain(origin.__supertype__)
    if origin in {dict, Mapping} or _has_fields(origin):
        return dict
    return list if origin in {list, tuple, Sequence} else origin


def _has_fields(kind: Any) -> bool:
    """Whether it is a type whose fields are given as a mapping."""
    return is_typeddict(kind) or _is_struct(kind)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _fits(value: object, kind: Any) -> bool:
    """Whether a value is of a type, as far as can be seen without a look inside."""
    if _judges(kind):
        return value is not None
    return any(_is_a(value, each) for each in _members(kind))


def _judges(kind: Any) -> list[Judged]:
    return [each for each in get_args(kind)[1:] if isinstance(each, Judged)] if get_origin(kind) is Annotated else []


def _is_a(value: object, kind: Any) -> bool:
    if kind in {Any, object}:
        return True
    if get_origin(kind) is Literal:
        return any(type(value) is type(each) and value == each for each in get_args(kind))
    plain = _plain(kind)
    if plain is Callable:
        return callable(value)
    if plain is dict:
        return isinstance(value, Mapping) or (_is_struct(kind) and isinstance(value, kind))
    if plain is list:
        wanted = get_args(kind)
        pair = get_origin(kind) is tuple and wanted[1:] != (...,)
        return isinstance(value, list | tuple) and (not pair or len(value) == len(wanted))
    if plain is Path:
        return isinstance(value, PathLike)  # that of a fake file system is another class
    if plain in {int, float}:
        return isinstance(value, int if plain is int else int | float) and not isinstance(value, bool)
    return isinstance(value, plain)


def mistakes(value: object, kind: Any, where: Where = (), show: Show = shown) -> Iterator[Wrong]:
    """What is wrong with a value for an annotation."""
    if get_origin(kind) is Annotated:
        base, *checks = get_args(kind)
        found = [] if _judges(kind) else list(mistakes(value, base, where, show))
        yield from found
        if not found:
            texts = (_wrong_by(check, value) for check in checks)
            yield from (Wrong(where, text) for text in texts if text)
    elif get_origin(kind) in {Union, UnionType}:
        if value is None and NoneType in get_args(kind):
            return
        fitting = next((each for each in get_args(kind) if _fits(value, each)), None)
        yield from [_unfit(value, kind, where, show)] if fitting is None else mistakes(value, fitting, where, show)
    elif not _is_a(value, kind):
        yield _unfit(value, kind, where, show)
    else:
        yield from _inside(value, kind, where, show)


def _wrong_by(check: Any, value: Any) -> str:
    """What something that `Annotated` adds says of a value."""
    if isinstance(check, Judged):
        return check.wrong(value)
    if isinstance(check, msgspec.Meta):
        if check.ge is not None and value < check.ge:
            return f"{shown(value)} is too small; the limit is {check.ge:g}"
        if check.gt is not None and value <= check.gt:
            return f"{shown(value)} is too small; it must be more than {check.gt:g}"
        if check.le is not None and value > check.le:
            return f"{shown(value)} is too large; the limit is {check.le:g}"
    return str(check(value)) if callable(check) else ""


def _unfit(value: object, kind: Any, where: Where, show: Show) -> Wrong:
    known = [str(each) for member in _members(kind) if get_origin(member) is Literal for each in get_args(member)]
    near = nearest(value, known) if isinstance(value, str) else None
    meant = f"; did you mean {near!r}?" if near else ""
    return Wrong(where, f"expected {in_words(kind)}, got {show(value)}{meant}")


def _inside(value: Any, kind: Any, where: Where, show: Show) -> Iterator[Wrong]:
    """What is wrong with the parts of a value that is of the right type."""
    plain, inner = _plain(kind), get_args(kind)
    if kind in {Any, object} or isinstance(value, str | float):
        yield from json_mistakes(value, where)
    elif _has_fields(kind):
        yield from _fields(value, kind, where, show) if isinstance(value, Mapping) else ()
    elif plain is dict:
        for key, each in value.items():
            yield from _key(key, where)
            yield from mistakes(each, inner[1] if inner else Any, (*where, str(key)), show)
    elif plain is list:
        kinds = inner[:-1] * len(value) if inner[1:] == (...,) else inner * (1 if len(inner) > 1 else len(value))
        for number, (each, of_it) in enumerate(zip(value, kinds, strict=False)):
            yield from mistakes(each, of_it, (*where, number), show)


def _fields(value: Mapping[Any, Any], kind: Any, where: Where, show: Show) -> Iterator[Wrong]:
    hints = get_type_hints(kind, include_extras=True)
    for key, each in value.items():
        if key in hints:
            yield from mistakes(each, hints[key], (*where, key), show)
        elif not _is_struct(kind) or kind.__struct_config__.forbid_unknown_fields:
            yield Wrong((*where, str(key)), f"unknown key, {did_you_mean(str(key), hints)}")
    if _is_struct(kind):
        needed = [field.name for field in msgspec.structs.fields(kind) if field.required]
        yield from (Wrong((*where, name), "missing") for name in needed if name not in value)


def _key(key: object, where: Where) -> Iterator[Wrong]:
    if not isinstance(key, str):
        yield Wrong(where, f"expected text as a key, got {shown(key)}")
    elif wrong := unsendable(key):
        yield Wrong((*where, key), wrong)


# --- what a wire can carry --------------------------------------------------------------------------------------------


def unsendable(text: str) -> str:
    """Why no message can hold a text; empty when one can."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"U+{ord(text[error.start]):04X}"
        return f"character {error.start + 1} is {half}, an unpaired surrogate, which UTF-8 can't hold"
    return ""


def json_mistakes(value: object, where: Where, depth: int = 0) -> Iterator[Wrong]:
    """Why a value can't be sent as JSON."""
    if depth > DEEPEST:
        yield Wrong(where, f"it has more than {DEEPEST} levels")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _key(key, where)
            yield from json_mistakes(each, (*where, str(key)), depth + 1)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from json_mistakes(each, (*where, number), depth + 1)
    elif wrong := _wrong_scalar(value):
        yield Wrong(where, wrong)


def _wrong_scalar(value: object) -> str:
    if isinstance(value, str):
        return unsendable(value)
    if isinstance(value, float):
        return "" if isfinite(value) else f"expected a finite number, got {value}"
    return "" if isinstance(value, int | NoneType) else f"expected a value of JSON, got {shown(value)}"


# --- calls ------------------------------------------------------------------------------------------------------------


def with_example(text: str, name: str, examples: Mapping[str, object] = EXAMPLES) -> str:
    """The text, with an example of the argument, if there is one."""
    if name not in examples:
        return text
    return f"{text}{' For' if text.endswith('?') else '; for'} example {name}={_literal(examples[name])}"


def wrong_argument(call: str, text: str, name: str, examples: Mapping[str, object] = EXAMPLES) -> WrongArgument:
    """What is wrong with an argument of a call, with an example of it, if there is one."""
    return WrongArgument(f"{call}: {with_example(text, name, examples)}", text)


def _literal(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _simple_types(kind: Any) -> Iterator[type]:
    """For the hot path: everything else is looked at."""
    members = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
    for each in members:
        if (
            isinstance(each, type)
            and not get_args(each)
            and not is_typeddict(each)
            and each not in {object, float, dict, list}
        ):
            yield each


def _squeezed(name: str) -> str:
    """The same for `expiresIn` and `expires_in`."""
    return name.replace("_", "").lower()


class _Call:
    """The parameters of a function; they are looked at when it is first called."""

    def __init__(self, name: str, function: Callable[..., Any], examples: Mapping[str, object]) -> None:
        self._name, self._function, self._examples = name, function, {**EXAMPLES, **examples}

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        """The types of all parameters and keywords that have one."""
        hints = get_type_hints(self._function, include_extras=True)
        more = hints.get(self._more.get("VAR_KEYWORD", ""))
        unpacked = get_type_hints(get_args(more)[0], include_extras=True) if get_origin(more) is Unpack else {}
        return {**hints, **unpacked}

    @cached_property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self._function).parameters

    @cached_property
    def _by_place(self) -> list[str]:
        return [name for name, each in self._parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD]

    @cached_property
    def _more(self) -> Mapping[str, str]:
        """The names of `*args` and `**kwargs`, by kind."""
        return {each.kind.name: name for name, each in self._parameters.items() if each.kind.name.startswith("VAR_")}

    @cached_property
    def _known(self) -> Mapping[str, Any] | None:
        """The names that can be given; None when any can."""
        variable = self._more.values()
        more = get_type_hints(self._function).get(self._more.get("VAR_KEYWORD", ""))
        if more is not None and get_origin(more) is not Unpack:
            return None
        named = [name for name in self._parameters if name not in {"self", *variable}]
        return dict.fromkeys([*named, *(get_type_hints(get_args(more)[0]) if more is not None else ())])

    @cached_property
    def _needed(self) -> frozenset[str]:
        variable = self._more.values()
        return frozenset(
            name for name, each in self._parameters.items() if each.default is each.empty and name not in variable
        )

    @cached_property
    def _needs_nothing(self) -> bool:
        """Whether a call without any argument but `self` is right."""
        return self._needed <= {"self"} and "self" in self._parameters

    def check(self, given: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        """Raises WrongArgument."""
        if not keywords and len(given) <= 1 and self._needs_nothing:
            return
        by_place = self._by_place[: len(given)]
        if len(given) > len(by_place) and "VAR_POSITIONAL" not in self._more:
            self._refuse_by_place(given)
        if self._known is None:
            self._refuse_misspelt(keywords)
        elif not keywords.keys() <= self._known.keys():
            self._refuse_unknown(keywords, self._known)
        if not self._needed <= {*by_place, *keywords}:
            missing = next(name for name in self._parameters if name in self._needed - {*by_place, *keywords})
            self._refuse(f"{missing} is missing", missing)
        named = [*by_place, *[self._more.get("VAR_POSITIONAL", "")] * (len(given) - len(by_place))]
        if wrong := list(islice(self._wrong([*zip(named, given, strict=True), *keywords.items()]), _MOST_WRONG)):
            self._refuse("; ".join(map(str, wrong)), str(wrong[0].where[0]))

    def _wrong(self, given: Iterable[tuple[str, object]]) -> Iterator[Wrong]:
        for name, value in given:
            if type(value) in self._simple.get(name, ()) and (type(value) is not str or value.isascii()):
                continue
            if name != "self":
                yield from mistakes(value, self._hints.get(name, Any), (name,))

    @cached_property
    def _simple(self) -> Mapping[str, frozenset[type]]:
        """By parameter the types whose values are right without a look inside; of text, if it is ASCII."""
        return {name: frozenset(_simple_types(kind)) for name, kind in self._hints.items()}

    def _refuse_unknown(self, keywords: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        name = next(name for name in keywords if name not in known)
        example = nearest(name, known) or next((each for each in known if each in self._examples), "")
        self._refuse(f"there is no argument {name!r}; {did_you_mean(name, known)}", example)

    def _refuse_misspelt(self, keywords: Mapping[str, Any]) -> None:
        """Where any name can be given: refuse one that is almost an argument's, with a value which that takes."""
        for name, value in keywords.items():
            if name not in self._parameters and (meant := self._meant_by(name, value)):
                self._refuse(f"there is no argument {name!r}; did you mean {meant!r}?", meant)

    def _meant_by(self, name: str, value: object) -> str:
        """The argument that was probably meant, else empty."""
        near = nearest(_squeezed(name), self._squeezed, _ALMOST) if len(name) >= _SHORTEST_MISSPELT else None
        meant = "" if near is None else self._squeezed[near]
        return "" if any(mistakes(value, self._hints.get(meant, Any))) else meant

    @cached_property
    def _squeezed(self) -> Mapping[str, str]:
        """The arguments by their squeezed names."""
        named = [name for name, each in self._parameters.items() if each.kind is each.KEYWORD_ONLY]
        return {_squeezed(name): name for name in named}

    def _refuse_by_place(self, given: tuple[Any, ...]) -> None:
        taken = [name for name in self._by_place if name != "self"]
        by_name = [name for name, each in self._parameters.items() if each.kind is each.KEYWORD_ONLY]
        extra = given[len(self._by_place)]
        rest = f", by name {', '.join(by_name)}" if by_name else ""
        text = f"without a name it takes {', '.join(taken) or 'nothing'}{rest}; got {shown(extra)} too"
        self._refuse(text, (*by_name, *taken, "")[0])

    def _refuse(self, text: str, example: str) -> None:
        examples = {example: "admin", **self._examples} if self._known is None else self._examples
        raise wrong_argument(self._name, text, example, examples)


def checked(name: str, **examples: object) -> Callable[[F], F]:
    """A function that refuses wrong arguments before it does anything; `name` is how users write it.

    `examples` are those that differ from `EXAMPLES`. A call raises WrongArgument.
    """

    def decorate(function: F) -> F:
        call = _Call(name, function, examples)

        @wraps(function)
        def refusing(*given: Any, **keywords: Any) -> Any:
            __tracebackhide__ = True
            call.check(given, keywords)
            return function(*given, **keywords)

        return refusing  # type: ignore[return-value]  # it has the same parameters

    return decorate


def all_checked(prefix: str, **examples: object) -> Callable[[C], C]:
    """A class whose public methods, those that it defines itself, are `checked`."""

    def decorate(kind: C) -> C:
        for name, member in list(vars(kind).items()):
            if inspect.isfunction(member) and not name.startswith("_"):
                setattr(kind, name, checked(f"{prefix}{name}", **examples)(member))
        return kind

    return decorate
