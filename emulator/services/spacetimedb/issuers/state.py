"""The issuers of a world as values that a snapshot's document can hold."""

from typing import Annotated, Literal

import msgspec

Condition = Literal["up", "down", "hanging"]
Text = str
"""A document, its bytes read as latin-1: the key sets that this emulator writes are ASCII."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


def as_text(document: bytes) -> Text:
    return document.decode("latin-1")


def as_bytes(text: Text) -> bytes:
    """Raises ValueError."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError("a key set has characters that no byte stands for") from None


class _State(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the state."""


class ProviderState(_State):
    """A provider; `published` is the key set it was given, the other fields are of one that the emulator plays."""

    url: str
    kind: Literal["played", "inline", "fetched"]
    n: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    """Its number; 0 is the next one."""
    condition: Condition = "up"
    published: Text | None = None
    algorithms: list[str] = []
    unpublished: list[str] = []
    generation: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 1
    kept: list[tuple[str, Annotated[int, msgspec.Meta(ge=1, le=10**6)]]] = []
    """Algorithm and number of earlier keys that are still published."""


class CachedState(_State):
    """The keys that the server has of an issuer."""

    issuer: str
    jwks: Text
    marked: bool = False
    """Whether they were unused since the last tick of the expiry."""


class IssuersState(_State):
    """All providers, in the order of their registration, and the cache, the least recently used first."""

    providers: list[ProviderState] = []
    latest: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    """The number of the provider that was registered last."""
    cached: list[CachedState] = []
    age: Count = 0
    """Microseconds since the ticks began."""
    refreshes: Count = 0
    expiries: Count = 0
    answered: dict[str, Text | None] = {}
    """Of a refresh that a hanging issuer holds up: what the others have answered."""
    hanging: list[str] = []
    unfetched: list[str] = []
