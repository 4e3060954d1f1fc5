"""What names a scenario."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from emulator.errors import Misconfigured

if TYPE_CHECKING:
    from emulator.handle import Emulator


class Inline(msgspec.Struct, frozen=True):
    """A scenario that is in no file: its JSON."""

    json: str


Source = str | Path | Inline | Callable[["Emulator"], object]
"""A bundled one's name, a file, a document, or a function that makes the world."""
Given = Source | Mapping[str, Any] | list[Any] | tuple[Any, ...]
"""As people write it: one, or several in layers."""


def source(given: Any) -> Source:
    """Raises Misconfigured for what can't be one."""
    if isinstance(given, Mapping):
        try:
            return Inline(json.dumps(given))
        except (TypeError, ValueError, RecursionError) as error:
            raise Misconfigured(f"the scenario is not JSON: {error}") from None
    if isinstance(given, str | Path | Inline) or callable(given):
        return given  # type: ignore[no-any-return]
    raise Misconfigured(f"a scenario is a name, a path, a document or a function, not {given!r}")


def layers_of(given: Any) -> tuple[Any, ...] | None:
    """One or several as a tuple, documents as text; what is no scenario stays as it is. None is nothing said."""
    if given is None:
        return None
    each = given if isinstance(given, list | tuple) else (given,)
    return tuple(source(one) if isinstance(one, Mapping) else one for one in each)


def sources(given: Any) -> tuple[Source, ...]:
    """The layers, the lowest first, files as paths. Raises Misconfigured."""
    return tuple(_as_path(source(each)) for each in layers_of(given) or ())


def _as_path(given: Source) -> Source:
    """One spelling for one file: a world is made once for each."""
    return Path(given) if isinstance(given, str) and not is_bundled_name(given) else given


def is_bundled_name(given: object) -> bool:
    """A text without suffix and slash."""
    return isinstance(given, str) and not any(mark in given for mark in "/\\.")


def name_of(given: Source) -> str:
    """For people."""
    if isinstance(given, Inline):
        return "inline document"
    if isinstance(given, str | Path):
        return str(given)
    return str(getattr(given, "__name__", given))
