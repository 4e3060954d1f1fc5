"""The format of scenario files. The docstrings are the descriptions in the JSON Schema; see also docs/scenarios.md."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from emulator.faults.step import LONGEST, Step
from emulator.services.intuition.api_keys import DEFAULT_WALLET
from emulator.services.intuition.model import Status
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER
from emulator.world.stubs import StubSpec

MOST_ROWS = 250_000
"""Identities of both APIs, crowds included. So many rows took 8 s and 170 MB on two busy cores."""

Count = Annotated[int, Meta(ge=1, le=MOST_ROWS)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of the document; unknown keys are errors."""


Text = TypeVar("Text", str, None, str | None)


def numbered(text: Text, number: int) -> Text:
    """The text for one member of a crowd; `{n}` is replaced by its number."""
    return text if text is None else text.replace("{n}", str(number))


class Reference(_Part, frozen=True):
    """The wallet of an API key."""

    actor: str
    """A name in `intuition.api_keys`."""


Wallet = str | Reference


class ClockPart(_Part, frozen=True):
    """The emulator's clock at the start of the world; by default it shows wall time."""

    freeze: str | None = None
    """The time at which the clock is frozen, like `2024-02-15T05:47:17.289011Z`."""
    skew: float | None = None
    """How many seconds the clock is ahead of wall time; negative for behind."""


class SpacetimePerson(_Part, frozen=True):
    """An actor with a SpacetimeDB identity and a token."""

    issuer: str = LOCAL_ISSUER
    """`iss` of the token, which one of `issuers` signs if it has this URL, else the server."""
    subject: str | None = None
    """`sub` of the token; the default is a UUID derived from the seed and the name."""
    audience: str | tuple[str, ...] = AUDIENCE
    """`aud` of the token."""
    email: str | None = None
    """The address stored by set-email."""
    databases: int | tuple[str, ...] = 0
    """Names of databases that the identity owns, each the only one of its name; or how many, without names."""
    claims: dict[str, Any] = {}
    """Additional claims of the token."""
    expires_in: float | None = None
    """Seconds from the start of the world, negative for an expired token; by default the token never expires."""


class SpacetimeCrowd(_Part, frozen=True):
    """Many identities, numbered from 1; `{n}` stands for the number."""

    count: Count
    """How many."""
    name: str = "user-{n}"
    """The names of the actors."""
    issuer: str = LOCAL_ISSUER
    """`iss` of the tokens, which one of `issuers` signs if it has this URL, else the server."""
    email: str | None = None
    """The address stored by set-email, like `user-{n}@example.com`."""
    databases: Annotated[int, Meta(ge=0, le=1000)] = 0
    """How many databases each identity owns; they have no names."""
    claims: dict[str, Any] = {}
    """Additional claims of the tokens."""
    expires_in: float | None = None
    """Seconds from the start of the world; by default the tokens never expire."""

    def person(self, number: int) -> SpacetimePerson:
        email = numbered(self.email, number)
        return SpacetimePerson(
            issuer=self.issuer, email=email, databases=self.databases, claims=self.claims, expires_in=self.expires_in
        )


Algorithm = Literal[
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "HS256",
    "HS384",
    "HS512",
    "EdDSA",
]
"""Those of `issuers.played`, which is slow to import."""


class IssuerPart(_Part, frozen=True):
    """A foreign issuer. The emulator plays it, unless it has `jwks` or `fetch`."""

    algorithm: Algorithm | None = None
    """What it signs with; the default is ES256."""
    jwks: str | dict[str, Any] | None = None
    """A key set that it publishes: the document, or a JSON file, its path relative to this file's folder."""
    fetch: bool = False
    """Whether it really runs on this machine, so that its keys are fetched."""
    accept_as_server: bool = False
    """Whether a key set is taken that the server would refuse as a whole."""


class SpacetimePart(_Part, frozen=True):
    """The state of SpacetimeDB."""

    profile: Literal["documented", "v1", "v2.8", "v2.14", "v2"] | None = None
    """What the API emulates: the documentation page, or a release of the server; `v2` is the newest 2.x."""
    identities: dict[str, SpacetimePerson | None] = {}
    """Actors by name; an empty value is an identity with a token."""
    crowd: SpacetimeCrowd | None = None
    """Many identities, numbered from 1."""
    issuers: dict[str, IssuerPart | None] = {}
    """Foreign issuers by URL; an empty value is one that the emulator plays. They sign the tokens of identities."""
    reducers: dict[str, tuple[str, ...]] = {}
    """By the name of a database, its reducers whose calls over a WebSocket succeed."""


class ApiKeyPart(_Part, frozen=True):
    """An API key of Intuition."""

    wallet: str | None = None
    """The wallet of the key; the default is derived from the seed and the name."""
    key: str | None = None
    """The key itself; the default is a UUID derived from the seed and the name."""


class PositionPart(_Part, frozen=True):
    """A stake in an identity."""

    wallet: Wallet
    """The wallet that has the stake, or `{actor: NAME}`."""
    amount: int | str
    """The stake in wei; in quotes when it has more than 18 digits."""


class IntuitionRow(_Part, frozen=True):
    """An identity of Intuition at the start of the world."""

    display_name: str
    """As a client sends it."""
    creator: Wallet = DEFAULT_WALLET
    """The wallet that created it, or `{actor: NAME}`."""
    description: str | None = None
    """As a client sends it."""
    image: str | None = None
    """As a client sends it."""
    external_reference: str | None = None
    """As a client sends it."""
    status: Status = "complete"
    """A `pending` identity has vault "0" until `lifecycle.complete_after`, a step or a call completes it."""
    positions: tuple[PositionPart, ...] = ()
    """The stakes in the identity."""


class LifecyclePart(_Part, frozen=True):
    """The status of new identities, and when pending ones become complete."""

    pending: bool = True
    """New identities are pending, with vault "0"."""
    complete_after: Annotated[float, Meta(ge=0, le=LONGEST)] | None = None
    """Seconds on the emulator's clock until a pending identity is complete; by default it stays pending."""


class IntuitionCrowd(_Part, frozen=True):
    """Many identities, numbered from 1; `{n}` stands for the number."""

    count: Count
    """How many."""
    name: str = "user-{n}"
    """The names of the identities in the scenario."""
    display_name: str | None = None
    """As a client sends it; the default is the name."""
    creator: Wallet = DEFAULT_WALLET
    """The wallet that created them, or `{actor: NAME}`."""
    description: str | None = None
    """As a client sends it."""
    image: str | None = None
    """As a client sends it."""
    external_reference: str | None = None
    """As a client sends it."""
    status: Status = "complete"
    """The status of all of them."""


class IntuitionPart(_Part, frozen=True):
    """The state of Intuition."""

    profile: Literal["documented"] | None = None
    """What the API emulates: the documentation page."""
    cors: bool = False
    """Whether web pages of other origins can use the API."""
    default_api_key: bool = True
    """Whether `00000000-0000-4000-8000-000000000001` is valid."""
    api_keys: dict[str, ApiKeyPart | None] = {}
    """Actors by name; an empty value is a key and a wallet derived from the seed."""
    identities: dict[str, IntuitionRow] = {}
    """Identities by a name for tests; the API does not use these names."""
    lifecycle: LifecyclePart | None = None
    """By default new identities are complete at once."""
    crowd: IntuitionCrowd | None = None
    """Many identities, numbered from 1."""


class Scenario(_Part, frozen=True):
    """A world at its start, the faults that occur in it, and the stubs that answer for what is not emulated."""

    version: Literal[1]
    """The version of this format."""
    schema: str | None = msgspec.field(name="$schema", default=None)
    """The JSON Schema, for editors; the emulator ignores it."""
    description: str | None = None
    """The purpose, in one sentence."""
    extends: str | tuple[str, ...] | None = None
    """Base scenarios: bundled names, or paths relative to this file's folder. This file overrides them."""
    seed: int | None = None
    """Determines every key, token and id; the default is 0 under pytest, random in `serve`."""
    clock: ClockPart = ClockPart()
    """The emulator's clock at the start of the world."""
    spacetime: SpacetimePart = SpacetimePart()
    """The state of SpacetimeDB."""
    intuition: IntuitionPart = IntuitionPart()
    """The state of Intuition."""
    script: tuple[Step, ...] = ()
    """Steps: which requests they match, and what happens to them. If several steps apply, the first one happens."""
    stubs: tuple[StubSpec, ...] = ()
    """Responses to requests that the emulator does not emulate. The first stub that fits answers."""
