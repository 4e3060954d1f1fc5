"""A world as a JSON document: `GET /_emulator/snapshot` and `--export-on-exit` write it, `PUT` reads it.

Documents can be compared with diff: the order is fixed, rows are as in the APIs, users are named by their wallets.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from operator import is_
from typing import Annotated, Any, TypeVar

import msgspec

from emulator.core.arguments import mistakes as mistakes_of_types
from emulator.core.arguments import shown_as_json
from emulator.core.clock import Clock, parse_rfc3339, rfc3339, to_micros
from emulator.core.context import Context
from emulator.core.entropy import Entropy
from emulator.core.errors import Misconfigured
from emulator.faults.schedule import Fault, Faults
from emulator.faults.step import LONGEST, Step
from emulator.services.intuition.api_keys import ApiKey
from emulator.services.intuition.model import NO_VAULT, Identity, Lifecycle, Position, Status, User
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb import releases
from emulator.services.spacetimedb.database.name_register import NameRecord
from emulator.services.spacetimedb.database.names import fault as name_fault
from emulator.services.spacetimedb.issuers.state import IssuersState
from emulator.services.spacetimedb.model import Database, parse_identity
from emulator.services.spacetimedb.model import Identity as SpacetimeIdentity
from emulator.services.spacetimedb.signing_keys import SigningKey
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.actors import Actor, ActorRegistry
from emulator.world.step_check import mistakes_in
from emulator.world.stubs import Stub, Stubs, StubSpec, mistakes
from emulator.world.world import World

_SECOND = 1_000_000

_MAY_COME = {("do", change) for change in ("revoke", "complete", "fail", "remove")}
"""What a step may name before it is there, by an id that a scenario takes."""

T = TypeVar("T")

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


# --- writing ----------------------------------------------------------------------------------------------------------


def written(world: World) -> bytes:
    """The document, indented. Raises Misconfigured for a world with a stub that a function answers."""
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
            stubs=[_stub_part(stub) for stub in world.stubs],
        )
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _clock_part(clock: Clock) -> ClockPart:
    return ClockPart(freeze=rfc3339(clock.micros())) if clock.frozen else ClockPart(skew=clock.ahead)


def _spacetime_part(store: SpacetimeStore) -> SpacetimePart:
    ring = store.keyring
    retired = [KeyPart(origin=key.origin, retired=rfc3339(at * _SECOND)) for key, at in ring.retired]
    owners = store.databases.merged().items()
    return SpacetimePart(
        profile=store.profile.name,
        keys=[KeyPart(origin=ring.key.origin), *retired],
        first_key=ring.first.origin,
        emails={str(identity): email for identity, email in store.emails.merged().items()},
        reducers=_reducers(store),
        databases={str(owner): _database_parts(store, owner) for owner, owned in owners if owned},
        names=dict(_name_parts(store)),
        names_of=dict(_other_names(store)),
        locked=[str(identity) for identity, locked in store.locked.merged().items() if locked],
        issuers=_issuers(store),
    )


def _issuers(store: SpacetimeStore) -> IssuersState | None:
    state = store.issuers.state() if store.has_issuers else IssuersState()
    return state if state.latest or state.cached else None


def _reducers(store: SpacetimeStore) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for database, reducer in sorted(store.stubbed_reducers):
        found.setdefault(str(database), []).append(reducer)
    return found


def _database_parts(store: SpacetimeStore, owner: SpacetimeIdentity) -> list[DatabasePart]:
    return [
        DatabasePart(identity=each.identity, address=each.address, name=each.name) for each in store.databases_of(owner)
    ]


def _name_parts(store: SpacetimeStore) -> Iterator[tuple[str, NamePart]]:
    for name, record in store.names.records.merged().items():
        database = store.database(name)
        if database is None or (database.name, database.owner) != (name, record.owner):
            yield name, NamePart(owner=record.owner, identity=record.identity)


def _other_names(store: SpacetimeStore) -> Iterator[tuple[str, list[str]]]:
    for identity, names in store.names.by_identity.merged().items():
        database = store.database(identity)
        if database is None or names != ((database.name,) if database.name else ()):
            yield str(identity), list(names)


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


def _stub_part(stub: Stub) -> StubPart:
    if stub.function is not None:
        raise Misconfigured(
            f"the stub {stub.request!r} is answered by a function, which a document can't hold; "
            "snapshot() of the emulator's own process keeps it"
        )
    return StubPart(n=stub.number, stub=stub.spec, answered=stub.answered)


# --- reading ----------------------------------------------------------------------------------------------------------


class _UnreadIntuition(IntuitionPart, kw_only=True):
    identities: list[msgspec.Raw] = []  # type: ignore[assignment]  # decoded one by one


class _UnreadSpacetime(SpacetimePart, kw_only=True):
    emails: msgspec.Raw = msgspec.Raw(b"{}")  # type: ignore[assignment]
    databases: msgspec.Raw = msgspec.Raw(b"{}")  # type: ignore[assignment]


class _Unread(Document, kw_only=True):
    """The document with its largest parts not decoded yet, so that they are never all in memory in two forms."""

    spacetime: _UnreadSpacetime
    intuition: _UnreadIntuition
    actors: list[msgspec.Raw] = []  # type: ignore[assignment]


def read(data: bytes | bytearray, like: World) -> World:
    """The world of a document, with the journal of `like`, and its key if that is from files. Raises Misconfigured."""
    try:
        document = msgspec.json.decode(data, type=_Unread)
        if document.version != 1:
            raise Misconfigured(f"this is version {document.version} of a snapshot; this emulator reads 1")
        return _world(document, like)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise Misconfigured(f"invalid snapshot: {_in_words(data, error)}") from None


_LONGEST_IN_WORDS = 1024 * 1024
"""Bytes of a document in which mistakes are looked for. More would hold up the server's loop."""
_MOST_MISTAKES = 5


def _in_words(data: bytes | bytearray, error: Exception) -> str:
    """The mistakes of a document in the words of the scenario checker, else the error as it is."""
    if not isinstance(error, msgspec.ValidationError) or len(data) > _LONGEST_IN_WORDS:
        return str(error)
    with suppress(ValueError, RecursionError):  # what follows the mistake can be no JSON at all
        found = islice(mistakes_of_types(msgspec.json.decode(data), Document, show=shown_as_json), _MOST_MISTAKES)
        return "; ".join(map(str, found)) or str(error)
    return str(error)


def _world(document: _Unread, like: World) -> World:
    context = Context(_clock(document.clock), Entropy(document.seed, document.drawn), like.context.deferred)
    faults = Faults(context.lock, _micros(document.begun))
    for part in document.script:
        _add_step(faults, part)
    actors = _actors(document.actors, context)
    world = World(
        context,
        spacetime=_spacetime(document, actors, context, like),
        intuition=_intuition(document.intuition, context),
        faults=faults,
        stubs=Stubs(context.lock),
        actors=actors,
        journal=like.journal,
        scenario=tuple(document.scenario),
    )
    for stub in document.stubs:
        _add_stub(world, stub)
    for part in document.script:
        if wrong := next((each for each in mistakes_in(part.step, world) if each.path not in _MAY_COME), None):
            raise ValueError(f"script, step {part.n}: {wrong.text}")
    return world


def _actors(unread: list[msgspec.Raw], context: Context) -> ActorRegistry:
    actors = ActorRegistry(context.deferred)
    known: dict[Any, Any] = {}
    no_claims: dict[str, Any] = {}

    def add(_: int, actor: Actor) -> None:
        values = {field: getattr(actor, field) for field in ("issuer", "audience", "databases")}
        alike = {field: known.setdefault(value, value) for field, value in values.items()}
        actors.add(msgspec.structs.replace(actor, claims=actor.claims or no_claims, **alike))

    _for_each(unread, Actor, "actors", add)
    return actors


def _for_each(unread: list[msgspec.Raw], kind: type[T], where: str, take: Callable[[int, T], None]) -> None:
    """Raises ValueError, which says which of them is wrong."""
    decode = msgspec.json.Decoder(kind).decode
    for number, raw in enumerate(unread):
        try:
            take(number, decode(raw))
        except (msgspec.DecodeError, ValueError) as error:
            raise ValueError(f"{where}[{number}]: {error}") from None


def _shared(value: str, *known: str) -> str:
    """The equal one of the known values, so that a world that was read is no larger than the one that was written."""
    return next((each for each in known if each == value), value)


def _micros(text: str) -> int:
    return to_micros(parse_rfc3339(text))


def _clock(part: ClockPart) -> Clock:
    clock = Clock(None if part.freeze is None else parse_rfc3339(part.freeze))
    if part.freeze is None and part.skew:
        clock.run_ahead(part.skew)
    return clock


def _add_step(faults: Faults, part: StepPart) -> None:
    windows = {client: (_micros(begun), count) for client, (begun, count) in part.windows.items()}
    faults.put(part.step, part.n, seen=part.seen, fired=part.fired, windows=windows)


def _add_stub(world: World, part: StubPart) -> None:
    """Raises ValueError."""
    if wrong := next(mistakes(part.stub), None):
        raise ValueError(f"stub {part.n}: {wrong}")
    world.stubs.put(part.stub, part.n, answered=part.answered)


def _spacetime(document: _Unread, actors: ActorRegistry, context: Context, like: World) -> SpacetimeStore:
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
    emails = msgspec.json.decode(part.emails, type=dict[SpacetimeIdentity, str])
    owners = [_identity(owner, actors) for owner in emails]
    store.emails.adopt(emails if all(map(is_, owners, emails)) else dict(zip(owners, emails.values(), strict=True)))
    del emails, owners
    decode = msgspec.json.Decoder(list[DatabasePart]).decode
    for text, databases in msgspec.json.decode(part.databases, type=dict[str, msgspec.Raw]).items():
        owner = _identity(text, actors)
        store.restore_databases(owner, [_database(each, owner) for each in decode(databases)])
    store.fetch_issuers = like.spacetime.fetch_issuers
    if part.issuers is not None:
        store.issuers.restore(part.issuers)
    _add_names(store, part)
    for database, reducers in part.reducers.items():
        for reducer in reducers:
            store.stub_reducer(database, reducer)
    return store


def _add_names(store: SpacetimeStore, part: SpacetimePart) -> None:
    """Raises ValueError."""
    for name, each in part.names.items():
        if fault := name_fault(name):
            raise ValueError(f"names: {name[:100]!r}: {fault}")
        identity = None if each.identity is None else parse_identity(each.identity)
        store.names.records[name] = NameRecord(parse_identity(each.owner), identity)
    for text, names in part.names_of.items():
        store.names.by_identity[parse_identity(text)] = tuple(names)
    for text in part.locked:
        store.locked[parse_identity(text)] = True


def _identity(text: str, actors: ActorRegistry) -> SpacetimeIdentity:
    """Raises ValueError."""
    identity = parse_identity(text)
    actor = actors.get(actors.name_of(identity=identity))
    return SpacetimeIdentity(_shared(identity, actor.identity if actor else text, text))


_ADDRESS = re.compile(r"[0-9a-fA-F]{32}")


def _database(part: DatabasePart, owner: SpacetimeIdentity) -> Database:
    """Raises ValueError."""
    if not _ADDRESS.fullmatch(part.address):
        raise ValueError(f"{part.address!r} is not an address; it must have 32 hex digits")
    return Database(parse_identity(part.identity), part.address.lower(), owner, part.name)


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


def _intuition(part: _UnreadIntuition, context: Context) -> IntuitionStore:
    store = IntuitionStore(_known(part.profile, INTUITION_PROFILES), context)
    store.cors, store.lifecycle = part.cors, part.lifecycle
    if not 0 <= (part.lifecycle.complete_after or 0) <= LONGEST:
        raise ValueError(f"intuition.lifecycle.complete_after must be from 0 to {LONGEST:,.0f}")
    for key in part.api_keys:
        store.put_api_key(key)
    for user in part.users:
        store.users[user.wallet] = user
    _for_each(part.identities, RowPart, "intuition.identities", partial(_put_row, store))
    return store


def _put_row(store: IntuitionStore, number: int, part: RowPart) -> None:
    """Raises ValueError."""
    _check_row(store, part)
    fields = {field: getattr(part, field) for field in Identity.__struct_fields__ if field != "creator"}
    before = store.rows.get(number - 1)
    fields["created_at"] = _shared(part.created_at, before.created_at if before else "")
    fields["updated_at"] = _shared(part.updated_at, fields["created_at"])
    for field in ("assets_sum", "conviction_sum", "conviction_price"):
        fields[field] = _shared(fields[field], "0")
    store.put(number, Identity(creator=store.users[part.creator], **fields))
    if part.name is not None:
        store.names[part.name] = number
    if part.positions:
        store.positions[number] = tuple(_compact(position, fields["vault_id"]) for position in part.positions)
    if part.completes_at is not None:
        store.complete_at(_micros(part.completes_at), number)


def _compact(position: Position, vault: str) -> Position:
    """The position, with one text in the place of several equal ones."""
    amount = position.amount_staked
    return msgspec.structs.replace(
        position,
        direction=_shared(position.direction, "for"),
        vault_id=_shared(position.vault_id, vault),
        conviction=_shared(position.conviction, amount),
        assets=_shared(position.assets, amount),
        fee=_shared(position.fee, "0"),
        delta_assets=_shared(position.delta_assets, "0"),
    )


_DIGITS = re.compile(r"[0-9]{1,100}")


def _check_row(store: IntuitionStore, part: RowPart) -> None:
    """Raises ValueError."""
    if part.creator not in store.users:
        raise ValueError(f"no user has the wallet {part.creator!r}")
    if store.has_id(part.id):
        raise ValueError(f"the id {part.id!r} is used twice")
    if part.vault_id != NO_VAULT and store.has_vault(part.vault_id):
        raise ValueError(f"the vault {part.vault_id!r} is used twice")
    for moment in (part.created_at, part.updated_at):
        parse_rfc3339(moment)
    for position in part.positions:
        for field in ("vault_id", "amount_staked", "conviction", "assets", "fee", "delta_assets"):
            if not _DIGITS.fullmatch(amount := getattr(position, field)):
                raise ValueError(f"{field} of a position is {amount[:60]!r}; it must be 1 to 100 digits")
