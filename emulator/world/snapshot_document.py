"""A world as a JSON document: `GET /_emulator/snapshot` and `--export-on-exit` write it, `PUT` reads it.

Documents can be compared with diff: the order is fixed, rows are as in the APIs, users are named by their wallets.
"""

from typing import Annotated, Any

import msgspec

from emulator.core.clock import Clock, parse_rfc3339, rfc3339, to_micros
from emulator.core.context import Context
from emulator.core.entropy import Entropy
from emulator.core.errors import Misconfigured
from emulator.faults.schedule import Fault, Faults
from emulator.faults.step import LONGEST, Step
from emulator.services.intuition.api_keys import ApiKey
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.intuition.model import Identity, Lifecycle, Position, Status, User
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb import releases
from emulator.services.spacetimedb.model import Database, parse_identity
from emulator.services.spacetimedb.signing_keys import SigningKey
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.actors import Actor, ActorRegistry
from emulator.world.step_check import mistakes_in
from emulator.world.world import World

_SECOND = 1_000_000

Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+$")]


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


class SpacetimePart(Part, kw_only=True):
    profile: str
    keys: list[KeyPart]
    """The current key, then earlier ones, the latest first."""
    first_key: str
    """The origin of the key that signs the actors' tokens."""
    emails: dict[str, str] = {}
    databases: dict[str, list[Database]] = {}


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


# --- writing ----------------------------------------------------------------------------------------------------------


def written(world: World) -> bytes:
    """The document, indented."""
    with world.context.lock:
        document = Document(
            version=1,
            seed=world.seed,
            scenario=list(world.scenario),
            begun=rfc3339(world.faults.begun),
            clock=_clock_part(world.clock),
            drawn=dict(sorted(world.entropy.drawn.items())),
            spacetime=_spacetime_part(world.spacetime),
            intuition=_intuition_part(world.intuition),
            actors=list(world.actors),
            script=[_step_part(fault) for fault in world.faults],
        )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _clock_part(clock: Clock) -> ClockPart:
    return ClockPart(freeze=rfc3339(clock.micros())) if clock.frozen else ClockPart(skew=clock.ahead)


def _spacetime_part(store: SpacetimeStore) -> SpacetimePart:
    ring = store.keyring
    retired = [KeyPart(origin=key.origin, retired=rfc3339(at * _SECOND)) for key, at in ring.retired]
    return SpacetimePart(
        profile=store.profile.name,
        keys=[KeyPart(origin=ring.key.origin), *retired],
        first_key=ring.first.origin,
        emails={str(identity): email for identity, email in store.emails.merged().items()},
        databases={str(identity): list(store.databases_of(identity)) for identity in store.databases.merged()},
    )


def _intuition_part(store: IntuitionStore) -> IntuitionPart:
    names = {number: name for name, number in store.names.merged().items()}
    due = {number: rfc3339(micros) for micros, number in store.completions}
    return IntuitionPart(
        profile=store.profile.name,
        cors=store.cors,
        lifecycle=store.lifecycle,
        api_keys=store.issued_keys,
        users=list(store.users.merged().values()),
        identities=[
            RowPart(
                **{field: getattr(row, field) for field in Identity.__struct_fields__ if field != "creator"},
                creator=row.creator.wallet,
                name=names.get(number),
                completes_at=due.get(number),
                positions=list(store.positions.get(number) or ()),
            )
            for number, row in store.rows.merged().items()
        ],
    )


def _step_part(fault: Fault) -> StepPart:
    windows = {client: (rfc3339(begun), count) for client, (begun, count) in fault.windows.items()}
    return StepPart(n=fault.number, step=fault.step, seen=fault.seen, fired=fault.fired, windows=windows)


# --- reading ----------------------------------------------------------------------------------------------------------


def read(data: bytes, like: World) -> World:
    """The world of a document, with the journal of `like`, and its key if that is from files. Raises Misconfigured."""
    try:
        document = msgspec.json.decode(data, type=Document)
        if document.version != 1:
            raise Misconfigured(f"this is version {document.version} of a snapshot; this emulator reads 1")
        return _world(document, like)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise Misconfigured(f"invalid snapshot: {error}") from None


def _world(document: Document, like: World) -> World:
    context = Context(_clock(document.clock), Entropy(document.seed, document.drawn), like.context.deferred)
    faults = Faults(context.lock, _micros(document.begun))
    for part in document.script:
        _add_step(faults, part)
    actors = ActorRegistry(context.deferred)
    for actor in document.actors:
        actors.add(actor)
    world = World(
        context,
        spacetime=_spacetime(document, context, like),
        intuition=_intuition(document.intuition, context),
        faults=faults,
        actors=actors,
        journal=like.journal,
        scenario=tuple(document.scenario),
    )
    for part in document.script:
        if wrong := next(mistakes_in(part.step, world), None):
            raise ValueError(f"script, step {part.n}: {wrong.text}")
    return world


def _micros(text: str) -> int:
    return to_micros(parse_rfc3339(text))


def _clock(part: ClockPart) -> Clock:
    clock = Clock(None if part.freeze is None else parse_rfc3339(part.freeze))
    if part.freeze is None and part.skew:
        clock.skew(part.skew)
    return clock


def _add_step(faults: Faults, part: StepPart) -> None:
    windows = {client: (_micros(begun), count) for client, (begun, count) in part.windows.items()}
    faults.put(part.step, part.n, seen=part.seen, fired=part.fired, windows=windows)


def _spacetime(document: Document, context: Context, like: World) -> SpacetimeStore:
    part = document.spacetime
    if not part.keys:
        raise ValueError("spacetime.keys is empty")
    keys = [_key(document.seed, key.origin, like) for key in part.keys]
    store = SpacetimeStore(
        _known(releases.resolved(part.profile), releases.PROFILES), _key(document.seed, part.first_key, like), context
    )
    store.keyring.key = keys[0]
    store.keyring.retired = [
        (key, _micros(each.retired) // _SECOND)
        for key, each in zip(keys[1:], part.keys[1:], strict=True)
        if each.retired is not None
    ]
    for identity, email in part.emails.items():
        store.emails[parse_identity(identity)] = email
    for identity, databases in part.databases.items():
        store.databases[parse_identity(identity)] = tuple(map(_packed, databases))
    return store


def _packed(database: Database) -> bytes:
    parse_identity(database.identity)
    if len(database.packed) != len(database.identity) // 2 + 16:
        raise ValueError(f"{database.address!r} is not an address; it must have 32 hex digits")
    return database.packed


def _key(seed: int, origin: str, like: World) -> SigningKey:
    """Keys are derived from the seed again; a document has no key from files, so that must be the key of `like`."""
    if origin != SigningKey.FROM_FILES:
        return SigningKey.again(seed, origin)
    own = like.spacetime.keyring.first
    if own.origin != origin:
        raise Misconfigured("the snapshot needs a signing key from files; start with the same --jwt-priv-key-path")
    return own


def _known(name: str, profiles: Any) -> Any:
    if name not in profiles:
        raise ValueError(f"there is no profile {name!r}")
    return profiles[name]


def _intuition(part: IntuitionPart, context: Context) -> IntuitionStore:
    store = IntuitionStore(_known(part.profile, INTUITION_PROFILES), context)
    store.cors, store.lifecycle = part.cors, part.lifecycle
    if not 0 <= (part.lifecycle.complete_after or 0) <= LONGEST:
        raise ValueError(f"intuition.lifecycle.complete_after must be from 0 to {LONGEST:,.0f}")
    for key in part.api_keys:
        store.put_api_key(key)
    for user in part.users:
        store.users[user.wallet] = user
    for number, row in enumerate(part.identities):
        _put_row(store, number, row)
    return store


def _put_row(store: IntuitionStore, number: int, part: RowPart) -> None:
    creator = store.users.get(part.creator)
    if creator is None:
        raise ValueError(f"intuition.identities[{number}]: no user has the wallet {part.creator!r}")
    if store.has_id(part.id):
        raise ValueError(f"intuition.identities[{number}]: the id {part.id!r} is used twice")
    for moment in (part.created_at, part.updated_at):
        parse_rfc3339(moment)
    for position in part.positions:
        if not (position.amount_staked.isdecimal() and position.assets.isdecimal()):
            raise ValueError(f"intuition.identities[{number}]: {position.amount_staked!r} is not a stake")
    fields = {field: getattr(part, field) for field in Identity.__struct_fields__ if field != "creator"}
    store.put(number, Identity(creator=creator, **fields))
    if part.name is not None:
        store.names[part.name] = number
    if part.positions:
        store.positions[number] = tuple(part.positions)
    if part.completes_at is not None:
        store.complete_at(_micros(part.completes_at), number)
