"""A world read from the document of a snapshot, and what is wrong with one."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from operator import is_
from typing import Any, TypeVar

import msgspec

from emulator.core.arguments import mistakes as mistakes_of_types
from emulator.core.arguments import shown_as_json
from emulator.core.clock import Clock, parse_rfc3339, to_micros
from emulator.core.context import Context
from emulator.core.entropy import Entropy
from emulator.core.errors import Misconfigured
from emulator.faults.schedule import Faults
from emulator.faults.step import LONGEST
from emulator.services.intuition.model import NO_VAULT, Identity, Position
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb import releases
from emulator.services.spacetimedb.database.name_register import NameRecord
from emulator.services.spacetimedb.database.names import fault as name_fault
from emulator.services.spacetimedb.model import Database, parse_identity
from emulator.services.spacetimedb.model import Identity as SpacetimeIdentity
from emulator.services.spacetimedb.signing_keys import SigningKey
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.actors import Actor, ActorRegistry
from emulator.world.snapshot_document.parts import (
    ClockPart,
    DatabasePart,
    Document,
    RowPart,
    SpacetimePart,
    StepPart,
    StubPart,
    UnreadDocument,
    UnreadIntuition,
)
from emulator.world.step_check import mistakes_in
from emulator.world.stubs import Stubs, mistakes
from emulator.world.world import World

_SECOND = 1_000_000

_MAY_COME = {("do", change) for change in ("revoke", "complete", "fail", "remove")}
"""What a step may name before it is there, by an id that a scenario takes."""

T = TypeVar("T")


def read(data: bytes | bytearray, like: World) -> World:
    """The world of a document, with the journal of `like`, and its key if that is from files. Raises Misconfigured."""
    try:
        document = msgspec.json.decode(data, type=UnreadDocument)
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
    # What follows the mistake can be no JSON at all; no ValueError says so before msgspec 0.20.
    with suppress(ValueError, RecursionError, msgspec.MsgspecError):
        found = islice(mistakes_of_types(msgspec.json.decode(data), Document, show=shown_as_json), _MOST_MISTAKES)
        return "; ".join(map(str, found)) or str(error)
    return str(error)


def _world(document: UnreadDocument, like: World) -> World:
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


def _spacetime(document: UnreadDocument, actors: ActorRegistry, context: Context, like: World) -> SpacetimeStore:
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


def _intuition(part: UnreadIntuition, context: Context) -> IntuitionStore:
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
