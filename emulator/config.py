"""How worlds begin, as users say it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from emulator.scenario.source import Given, layers_of


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
    - `spacetime_profile`, `intuition_profile` ("documented") say whom the APIs speak for
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
        object.__setattr__(self, "scenario", layers_of(self.scenario))

    def over(self, below: "Config") -> "Config":
        """This config, with `below` where it says nothing."""
        return Config(
            **{name: value for config in (below, self) for name, value in vars(config).items() if value is not None}
        )
