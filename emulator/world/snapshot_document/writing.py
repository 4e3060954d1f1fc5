"""A world written as the document of a snapshot."""

from collections.abc import Iterator

import msgspec

from emulator.core.clock import Clock, rfc3339
from emulator.core.errors import Misconfigured
from emulator.faults.schedule import Fault
from emulator.services.intuition.model import Identity
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb.issuers.state import IssuersState
from emulator.services.spacetimedb.model import Identity as SpacetimeIdentity
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.snapshot_document.parts import (
    ClockPart,
    DatabasePart,
    Document,
    IntuitionPart,
    KeyPart,
    NamePart,
    RowPart,
    SpacetimePart,
    StepPart,
    StubPart,
)
from emulator.world.stubs import Stub
from emulator.world.world import World

_SECOND = 1_000_000


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
