"""How worlds begin, as users say it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict, cast

import msgspec

from emulator.core.errors import Misconfigured


class Inline(msgspec.Struct, frozen=True):
    """A scenario that is in no file: its JSON."""

    json: str


ScenarioFunction = Callable[[Any], object]
"""Called with the `Emulator` whose world it makes."""
Source = str | Path | Inline | ScenarioFunction
"""A bundled scenario's name, a file, a document, or a function that makes the world."""
Given = Source | Mapping[str, Any] | list[Any] | tuple[Any, ...]
"""As people write it: one, or several in layers."""


class Settings(TypedDict, total=False):
    """The fields of `Config`, for functions that take them as keywords."""

    seed: int | None
    scenario: Given | None
    spacetime_profile: str | None
    intuition_profile: str | None
    freeze_at: datetime | None
    jwt_priv_key_path: Path | None
    jwt_pub_key_path: Path | None
    journal_size: int | None


@dataclass(frozen=True, kw_only=True)
class Config:
    """How worlds begin. The same config makes the same world, byte for byte once the clock is frozen.

    None leaves a field to the next config below, and at last to its default:

    - `seed` (0) decides every key, token and id
    - `scenario` (none) is what the world holds at its beginning: a bundled one's name, a file, a document, a function,
      or several of them in layers
    - `spacetime_profile`, `intuition_profile` ("documented") name the service and release that the APIs emulate
    - `freeze_at` (the clock runs) is the moment the clock stands at
    - `jwt_priv_key_path`, `jwt_pub_key_path` (a pair from the seed) name P-256 keys in PEM form
    - `journal_size` (10,000) is how many exchanges are remembered
    """

    seed: int | None = None
    scenario: Given | None = None
    spacetime_profile: str | None = None
    intuition_profile: str | None = None
    freeze_at: datetime | None = None
    jwt_priv_key_path: Path | None = None
    jwt_pub_key_path: Path | None = None
    journal_size: int | None = None

    def __post_init__(self) -> None:
        if self.scenario is not None:
            given = self.scenario if isinstance(self.scenario, list | tuple) else (self.scenario,)
            object.__setattr__(self, "scenario", tuple(map(_in_one_spelling, given)))

    @property
    def layers(self) -> tuple[Source, ...]:
        """The scenarios, the lowest first; none when there is no scenario. Raises Misconfigured for what is none."""
        layers = cast(tuple[Any, ...], self.scenario or ())
        for each in layers:
            if not isinstance(each, str | Path | Inline) and not callable(each):
                raise Misconfigured(f"a scenario is a name, a path, a document or a function, not {each!r}")
        return layers

    def over(self, below: "Config") -> "Config":
        """This config, with `below` where it says nothing."""
        return Config(
            **{name: value for config in (below, self) for name, value in vars(config).items() if value is not None}
        )


def _in_one_spelling(given: Any) -> Any:
    """Since a world is made once for each scenario: files are paths, documents are JSON. Anything else stays."""
    if isinstance(given, Mapping):
        try:
            return Inline(json.dumps(given))
        except (TypeError, ValueError, RecursionError) as error:
            raise Misconfigured(f"the scenario is not JSON: {error}") from None
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
