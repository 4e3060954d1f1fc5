"""The configuration of a world."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, TypedDict, cast

import msgspec

from emulator.core.arguments import Judged, checked, shown
from emulator.core.clock import Moment, to_moment
from emulator.core.errors import Misconfigured


class Inline(msgspec.Struct, frozen=True):
    """A scenario given as a document instead of a file, as JSON."""

    json: str


ScenarioFunction = Callable[[Any], object]
"""Called with an `Emulator`, whose world it changes."""
Source = str | Path | Inline | ScenarioFunction
"""A bundled scenario's name, a file, a document, or a function."""
Layer = Source | Mapping[str, Any]


def _wrong_scenario(given: object) -> str:
    for each in given if isinstance(given, list | tuple) else (given,):
        if not isinstance(each, str | PathLike | Inline | Mapping) and not callable(each):
            return f"expected a name, a path, a document, a function, or a list of them, got {shown(each)}"
    return ""


Given = Annotated[Layer | Sequence[Layer], Judged(_wrong_scenario)]
"""As users write it: one scenario, or several as layers."""


class Settings(TypedDict, total=False):
    """The fields of `Config`, for functions that take them as keywords."""

    seed: int | None
    scenario: Given | None
    spacetime_profile: str | None
    intuition_profile: str | None
    freeze_at: Moment | None
    jwt_priv_key_path: str | Path | None
    jwt_pub_key_path: str | Path | None
    journal_size: int | None
    journal_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Config:
    """The configuration of a world. With a frozen clock, equal configs make equal worlds, byte for byte.

    A field that is None is taken from a lower config or the scenario, else it has this default:

    - `seed` (0) determines every key, token and id
    - `scenario` (none) is the content of a new world: a bundled scenario's name, a file, a document, a function, or a
      list of them as layers
    - `spacetime_profile`, `intuition_profile` ("documented") name the service and release that the APIs emulate
    - `freeze_at` (the clock runs) is the time at which the clock is frozen, a datetime or like `2024-02-15T05:47:17Z`
    - `jwt_priv_key_path`, `jwt_pub_key_path` (a pair from the seed) are files of P-256 keys in PEM format
    - `journal_size` (10,000) is the most exchanges that the journal keeps, `journal_bytes` (32 MiB) the most bytes of
      all of them together

    Raises WrongArgument.
    """

    seed: int | None = None
    scenario: Given | None = None
    spacetime_profile: str | None = None
    intuition_profile: str | None = None
    freeze_at: Moment | None = None
    jwt_priv_key_path: str | Path | None = None
    jwt_pub_key_path: str | Path | None = None
    journal_size: int | None = None
    journal_bytes: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.freeze_at, str):
            object.__setattr__(self, "freeze_at", to_moment(self.freeze_at))
        if self.scenario is not None:
            given = self.scenario if isinstance(self.scenario, list | tuple) else (self.scenario,)
            object.__setattr__(self, "scenario", tuple(map(_in_one_spelling, given)))

    @property
    def layers(self) -> tuple[Source, ...]:
        """The scenarios, the lowest layer first."""
        return cast(tuple[Source, ...], self.scenario or ())

    @property
    def frozen_at(self) -> datetime | None:
        """`freeze_at` as a datetime."""
        return None if self.freeze_at is None else to_moment(self.freeze_at)

    def over(self, below: "Config") -> "Config":
        """This config; fields that are None are taken from `below`."""
        merged = object.__new__(Config)  # both were checked when they were made
        given = {name: value for name, value in vars(self).items() if value is not None}
        vars(merged).update({**vars(below), **given})
        return merged


# Of a dataclass the parameters are the fields.
Config.__init__ = checked("Config")(Config.__init__)  # type: ignore[method-assign]


def _in_one_spelling(given: Any) -> Any:
    """Files as `Path`, documents as `Inline`: equal scenarios need equal keys in the map of blueprints."""
    if isinstance(given, Mapping):
        try:
            return Inline(json.dumps(given))
        except (TypeError, ValueError, RecursionError) as error:
            raise Misconfigured(f"the scenario is not JSON: {error}") from None
    return Path(given) if isinstance(given, str) and not is_bundled_name(given) else given


def is_bundled_name(given: object) -> bool:
    """Whether it is a string without dots and slashes."""
    return isinstance(given, str) and not any(mark in given for mark in "/\\.")


def name_of(given: Source) -> str:
    """For messages and lists."""
    if isinstance(given, Inline):
        return "inline document"
    if isinstance(given, str | Path):
        return str(given)
    return str(getattr(given, "__name__", given))
