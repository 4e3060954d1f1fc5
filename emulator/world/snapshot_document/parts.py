"""The document of a snapshot, as structs."""

from typing import Annotated

import msgspec

from emulator.faults.step import Step
from emulator.services.intuition.api_keys import ApiKey
from emulator.services.intuition.model import Lifecycle, Position, Status, User
from emulator.services.spacetimedb.issuers.state import IssuersState
from emulator.world.actors import Actor
from emulator.world.stubs import StubSpec

Number = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,99})(?![\s\S])")]
"""Decimal digits. `$` would also match before a line feed."""


class Part(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the document."""


class ClockPart(Part, kw_only=True):
    """The clock is frozen at `freeze`, or runs `skew` seconds ahead of wall time."""

    freeze: str | None = None
    skew: float = 0.0


class KeyPart(Part, kw_only=True):
    """A signing key: `origin` says how to derive it from the seed, `retired` is the time of its rotation."""

    origin: str
    retired: str | None = None


class DatabasePart(Part, kw_only=True):
    """A database; documents of earlier versions have no names."""

    identity: str
    address: str
    name: str | None = None


class NamePart(Part, kw_only=True):
    """Who registered the name of a database, and the identity that it stands for, if any."""

    owner: str
    identity: str | None = None


class SpacetimePart(Part, kw_only=True):
    profile: str
    keys: list[KeyPart]
    """The current key, then earlier ones, the latest first."""
    first_key: str
    """The origin of the key that signs the actors' tokens."""
    emails: dict[str, str] = {}
    databases: dict[str, list[DatabasePart]] = {}
    """By owner, in order of creation."""
    reducers: dict[str, list[str]] = {}
    """By the identity of a database, the reducers that have stubs."""
    names: dict[str, NamePart] = {}
    """Those that a client gave, or took from a database."""
    names_of: dict[str, list[str]] = {}
    """By identity, where it has others than the one name in `databases`."""
    locked: list[str] = []
    """Identities of databases."""
    issuers: IssuersState | None = None
    """The foreign issuers, if there are any."""


class RowPart(Part, kw_only=True):
    """An identity as in the API; `creator` is a wallet, `completes_at` the time when a pending one becomes complete."""

    name: str | None = None
    id: str
    identity_id: str
    identity_hash: str
    display_name: str
    description: str | None = None
    image: str | None = None
    external_reference: str | None = None
    creator: str
    status: Status
    created_at: str
    num_positions: int
    updated_at: str
    vault_id: Number
    assets_sum: Number
    conviction_sum: Number
    conviction_price: Number
    completes_at: str | None = None
    positions: list[Position] = []


class IntuitionPart(Part, kw_only=True):
    profile: str
    cors: bool = False
    lifecycle: Lifecycle = Lifecycle()
    api_keys: list[ApiKey] = []
    users: list[User] = []
    identities: list[RowPart] = []


class StepPart(Part, kw_only=True):
    """A step and its counters; `windows` has the start and number of requests of each client, for a rate limit."""

    n: int
    step: Step
    seen: int = 0
    fired: int = 0
    windows: dict[str, tuple[str, int]] = {}


class StubPart(Part, kw_only=True):
    """A stub and its counter."""

    n: int
    stub: StubSpec
    answered: Annotated[int, msgspec.Meta(ge=0)] = 0


class Document(Part, kw_only=True):
    """A world without its journal."""

    version: int
    seed: int
    scenario: list[str] = []
    """The names of the world's scenarios."""
    begun: str
    clock: ClockPart
    drawn: dict[str, int]
    """How many random numbers were drawn for each purpose."""
    spacetime: SpacetimePart
    intuition: IntuitionPart
    actors: list[Actor] = []
    script: list[StepPart] = []
    stubs: list[StubPart] = []


# --- as it is read ----------------------------------------------------------------------------------------------------


class UnreadIntuition(IntuitionPart, kw_only=True):
    identities: list[msgspec.Raw] = []  # type: ignore[assignment]  # decoded one by one


class UnreadSpacetime(SpacetimePart, kw_only=True):
    emails: msgspec.Raw = msgspec.Raw(b"{}")  # type: ignore[assignment]
    databases: msgspec.Raw = msgspec.Raw(b"{}")  # type: ignore[assignment]


class UnreadDocument(Document, kw_only=True):
    """The document with its largest parts not decoded yet, so that they are never all in memory in two forms."""

    spacetime: UnreadSpacetime
    intuition: UnreadIntuition
    actors: list[msgspec.Raw] = []  # type: ignore[assignment]
