"""What a scenario can say. The manual, docs/scenarios.md, and the JSON Schema speak from here."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from emulator.faults.step import Step
from emulator.services.intuition.api_keys import DEFAULT_WALLET
from emulator.services.intuition.model import Status
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER

LARGEST_CROWD = 1_000_000

Count = Annotated[int, Meta(ge=1, le=LARGEST_CROWD)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Says nothing unless told."""


Text = TypeVar("Text", str, None, str | None)


def numbered(text: Text, number: int) -> Text:
    """The text of one of a crowd."""
    return text if text is None else text.replace("{n}", str(number))


class Reference(_Part, frozen=True):
    """Somebody's wallet, by their name in `intuition.api_keys`."""

    actor: str
    """A name in `intuition.api_keys`."""


Wallet = str | Reference


class ClockPart(_Part, frozen=True):
    """The emulator's clock when the world begins. Without it, wall time."""

    freeze: str | None = None
    """The moment it stands at, like `2024-02-15T05:47:17.289011Z`."""
    skew: float | None = None
    """Seconds it runs ahead of wall time; negative for behind."""


class SpacetimePerson(_Part, frozen=True):
    """Somebody with a SpacetimeDB identity and a token."""

    issuer: str = LOCAL_ISSUER
    """`iss` of the token."""
    subject: str | None = None
    """`sub` of the token; without it a UUID that belongs to the seed and the name."""
    audience: str | tuple[str, ...] = AUDIENCE
    """`aud` of the token."""
    email: str | None = None
    """What set-email stored."""
    databases: int | tuple[str, ...] = 0
    """The databases owned, by names, or how many."""
    claims: dict[str, Any] = {}
    """Every other claim of the token."""
    expires_in: float | None = None
    """Seconds from the world's beginning to the token's end, negative for one that is over; without it, never."""


class SpacetimeCrowd(_Part, frozen=True):
    """Many identities that differ in a number; in texts `{n}` is the number, from 1."""

    count: Count
    """How many."""
    name: str = "user-{n}"
    """What the actors are called."""
    issuer: str = LOCAL_ISSUER
    """`iss` of the tokens."""
    email: str | None = None
    """What set-email stored, like `user-{n}@example.com`."""
    databases: Annotated[int, Meta(ge=0, le=1000)] = 0
    """How many databases each owns."""
    claims: dict[str, Any] = {}
    """Every other claim of the tokens."""
    expires_in: float | None = None
    """Seconds from the world's beginning to the tokens' end."""

    def person(self, number: int) -> SpacetimePerson:
        email = numbered(self.email, number)
        return SpacetimePerson(
            issuer=self.issuer, email=email, databases=self.databases, claims=self.claims, expires_in=self.expires_in
        )


class SpacetimePart(_Part, frozen=True):
    """What SpacetimeDB remembers."""

    profile: Literal["documented", "v1", "v2"] | None = None
    """Whom the API speaks for: the documentation page, or the server v1.12.0 or v2.8.3."""
    identities: dict[str, SpacetimePerson | None] = {}
    """Actors by their names; nothing after a name is an identity with a token and nothing else."""
    crowd: SpacetimeCrowd | None = None
    """Many more."""


class ApiKeyPart(_Part, frozen=True):
    """An API key of Intuition."""

    wallet: str | None = None
    """The wallet it belongs to; without it one that belongs to the seed and the name."""
    key: str | None = None
    """The key itself; without it a UUID that belongs to the seed and the name."""


class PositionPart(_Part, frozen=True):
    """A stake in an identity."""

    wallet: Wallet
    """Whose."""
    amount: int | str
    """Wei; in quotes when there are more than 18 digits."""


class IntuitionRow(_Part, frozen=True):
    """An identity that is there already."""

    display_name: str
    """As the client sent it."""
    creator: Wallet = DEFAULT_WALLET
    """The wallet that made it, or `{actor: NAME}`."""
    description: str | None = None
    """As the client sent it."""
    image: str | None = None
    """As the client sent it."""
    external_reference: str | None = None
    """As the client sent it."""
    status: Status = "complete"
    """A `pending` one has vault "0" until it is completed: by `lifecycle.complete_after`, a step or a call."""
    positions: tuple[PositionPart, ...] = ()
    """The stakes in it."""


class LifecyclePart(_Part, frozen=True):
    """What becomes of identities."""

    pending: bool = True
    """New ones are pending, in vault "0"."""
    complete_after: Annotated[float, Meta(ge=0)] | None = None
    """Seconds on the emulator's clock until a pending one is complete; without it, until a step or a call."""


class IntuitionCrowd(_Part, frozen=True):
    """Many identities that differ in a number; in texts `{n}` is the number, from 1."""

    count: Count
    """How many."""
    name: str = "user-{n}"
    """What they are called."""
    display_name: str | None = None
    """As the clients sent it; without it, the name."""
    creator: Wallet = DEFAULT_WALLET
    """The wallet that made them, or `{actor: NAME}`."""
    description: str | None = None
    """As the clients sent it."""
    image: str | None = None
    """As the clients sent it."""
    external_reference: str | None = None
    """As the clients sent it."""
    status: Status = "complete"
    """What all of them are."""


class IntuitionPart(_Part, frozen=True):
    """What Intuition remembers."""

    profile: Literal["documented"] | None = None
    """Whom the API speaks for."""
    cors: bool = False
    """Whether pages of other origins may use the API."""
    default_api_key: bool = True
    """Whether `00000000-0000-4000-8000-000000000001` is good."""
    api_keys: dict[str, ApiKeyPart | None] = {}
    """Actors by their names; nothing after a name is a key and a wallet of the seed."""
    identities: dict[str, IntuitionRow] = {}
    """Rows by names of yours; the API does not know the names."""
    lifecycle: LifecyclePart | None = None
    """Without it, new identities are complete at once."""
    crowd: IntuitionCrowd | None = None
    """Many more."""


class Scenario(_Part, frozen=True):
    """A world when it begins, and what happens to it over time."""

    version: Literal[1]
    """Of this format."""
    schema: str | None = msgspec.field(name="$schema", default=None)
    """For editors; not looked at."""
    description: str | None = None
    """What it is for, in a sentence."""
    extends: str | tuple[str, ...] | None = None
    """The scenarios below this one, by name or by a path from this file's folder; what is said here wins."""
    seed: int | None = None
    """Decides every key, token and id; without it 0 under pytest, a new one in `serve`."""
    clock: ClockPart = ClockPart()
    """The emulator's clock when the world begins."""
    spacetime: SpacetimePart = SpacetimePart()
    """What SpacetimeDB remembers."""
    intuition: IntuitionPart = IntuitionPart()
    """What Intuition remembers."""
    script: tuple[Step, ...] = ()
    """What goes wrong, and what happens over time: the first step whose turn it is wins."""
