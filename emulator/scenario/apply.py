"""Applying a scenario to a new world: actors, stored objects, the script and stubs."""

from collections.abc import Iterator, Mapping

from emulator.core.entropy import uuid4_of
from emulator.scenario import schema
from emulator.scenario.document import Path
from emulator.scenario.schema import numbered
from emulator.services.intuition.api_keys import DEFAULT_KEY, DEFAULT_WALLET
from emulator.services.intuition.model import Draft, Lifecycle
from emulator.services.spacetimedb.model import identity_of
from emulator.world.actors import Actor
from emulator.world.world import World


class CannotApply(Exception):
    """What only the world's profile tells to be wrong, at a path of the document."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(text)
        self.path = path


def apply(scenario: schema.Scenario, world: World) -> None:
    """Add the content of a scenario to a world. The config has already set its clock, seed and profiles.

    Raises CannotApply.
    """
    for url, given in scenario.spacetime.issuers.items():
        _add_issuer(world, url, given or schema.IssuerPart())
    for name, person in scenario.spacetime.identities.items():
        _add_person(world, name, person or schema.SpacetimePerson())
    if scenario.spacetime.crowd is not None:
        _add_crowd(world, scenario.spacetime.crowd)
    for database, reducers in scenario.spacetime.reducers.items():
        for reducer in reducers:
            world.spacetime.stub_reducer(database, reducer)
    _add_intuition(world, scenario.intuition)
    for step in scenario.script:
        world.faults.add(step)
    for stub in scenario.stubs:
        world.stubs.add(stub)


# --- SpacetimeDB ------------------------------------------------------------------------------------------------------


def _add_issuer(world: World, url: str, part: schema.IssuerPart) -> None:
    try:
        world.spacetime.issuers.register(
            url,
            algorithm=part.algorithm,
            jwks=part.jwks if isinstance(part.jwks, Mapping) else None,
            fetch=part.fetch,
            accept_as_server=part.accept_as_server,
        )
    except ValueError as error:
        raise CannotApply(("spacetime", "issuers", url), str(error)) from None


def _add_person(world: World, name: str, person: schema.SpacetimePerson, *, crowd: bool = False) -> None:
    subject = person.subject or uuid4_of(world.entropy.named("spacetime.subject", name))
    identity = identity_of(person.issuer, subject)
    given = person.databases
    databases = tuple(map(str, range(1, given + 1))) if isinstance(given, int) else given
    world.actors.add(
        Actor(
            name=name,
            identity=identity,
            issuer=person.issuer,
            subject=subject,
            audience=(person.audience,) if isinstance(person.audience, str) else person.audience,
            claims=person.claims,
            expires_in=person.expires_in,
            databases=databases,
            crowd=crowd,
        )
    )
    if person.email is not None:
        world.spacetime.set_email(identity, person.email)
    if isinstance(given, int):
        world.spacetime.add_databases(identity, given)
    else:
        for database in given:
            world.spacetime.add_database(identity, database)


def _add_crowd(world: World, crowd: schema.SpacetimeCrowd) -> None:
    for number in range(1, crowd.count + 1):
        _add_person(world, numbered(crowd.name, number), crowd.person(number), crowd=True)


# --- Intuition --------------------------------------------------------------------------------------------------------


def _add_intuition(world: World, part: schema.IntuitionPart) -> None:
    store = world.intuition
    store.cors = part.cors
    if part.lifecycle is not None:
        store.lifecycle = Lifecycle(part.lifecycle.pending, part.lifecycle.complete_after)
    if part.default_api_key:
        store.issue_api_key(DEFAULT_WALLET, DEFAULT_KEY)
    for name, given in part.api_keys.items():
        _add_key(world, name, given or schema.ApiKeyPart())
    begun = world.faults.begun
    store.populate(((name, _draft(world, row), row.status) for name, row in part.identities.items()), begun)
    for name, row in part.identities.items():
        for number, position in enumerate(row.positions):
            chance = world.entropy.named("intuition.position", f"{name}/{number}")
            wallet, amount = _wallet(world, position.wallet), int(position.amount)
            store.add_position(store.names[name], wallet, amount, uuid4_of(chance))
    if part.crowd is not None:
        store.populate(_crowd(world, part.crowd), begun)


def _add_key(world: World, name: str, given: schema.ApiKeyPart) -> None:
    key = given.key or uuid4_of(world.entropy.named("intuition.api_key", name))
    wallet = given.wallet or f"0x{world.entropy.named('intuition.wallet', name)[:20].hex()}"
    world.intuition.issue_api_key(wallet, key)
    world.actors.add(Actor(name=name, api_key=key, wallet=wallet))


def _wallet(world: World, wallet: schema.Wallet) -> str:
    if not isinstance(wallet, schema.Reference):
        return wallet
    actor = world.actors.get(wallet.actor)
    assert actor is not None
    return actor.wallet


def _draft(world: World, row: schema.IntuitionRow) -> Draft:
    return Draft(row.display_name, _wallet(world, row.creator), row.description, row.image, row.external_reference)


def _crowd(world: World, crowd: schema.IntuitionCrowd) -> Iterator[tuple[str, Draft, str]]:
    creator = _wallet(world, crowd.creator)
    for number in range(1, crowd.count + 1):
        name, display_name = numbered(crowd.name, number), numbered(crowd.display_name, number)
        texts = (numbered(text, number) for text in (crowd.description, crowd.image, crowd.external_reference))
        yield name, Draft(name if display_name is None else display_name, creator, *texts), crowd.status
