"""Checks beyond types: unknown names, values that the real services refuse, steps that can never happen."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from emulator.core.arguments import Where
from emulator.core.clock import Clock, parse_rfc3339
from emulator.core.suggestions import Suggest
from emulator.scenario import schema
from emulator.scenario.document import Node, Path
from emulator.services.intuition.operations import OPERATIONS
from emulator.services.spacetimedb import email_address as email
from emulator.services.spacetimedb.database import names as database_names
from emulator.services.spacetimedb.model import CLAIM_NAMES, LONGEST_NAME
from emulator.services.spacetimedb.operations import operations_of
from emulator.services.spacetimedb.releases import PROFILES, resolved
from emulator.services.spacetimedb.store import MOST_REDUCERS, reducer_fault
from emulator.world.step_check import mistakes_in
from emulator.world.stubs import MOST as MOST_STUBS
from emulator.world.stubs import StubSpec, mistakes, why_emulated

Mistake = tuple[Path, str]

_MOST_DATABASES = 1000
_SHOWN = 100
"""Characters of a name in a message."""
_LONGEST_LIFE = 10**12
"""Seconds."""
_MOST_DATABASES_IN_ALL = 100_000
_MOST_TEXT = 32 * 1024 * 1024
"""Characters in all members of crowds."""
_MOST_COMPARED = 100_000
"""Pairs of a step and a stub, which takes half a second."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|did:.*|[0-9]+")
"""Ids of an Intuition identity, and default API keys: valid in a step without being a name of the scenario."""
_SENDABLE = re.compile(r"[!-~]([ -~]*[!-~])?")


class Names:
    """The names that a document defines, also in parts with mistakes."""

    def __init__(self, tree: Node, scenario: schema.Scenario, suggest: Suggest) -> None:
        self._tree = tree
        self.suggest = suggest
        self._stubbed = [stub.request for stub in scenario.stubs[:MOST_STUBS]]
        self._comparisons = iter(range(_MOST_COMPARED))
        self._crowds = (scenario.spacetime.crowd, scenario.intuition.crowd)
        self._keys = {given.key for given in scenario.intuition.api_keys.values() if given and given.key}

    @cached_property
    def key_names(self) -> Collection[str]:
        return dict.fromkeys(self._tree.keys("intuition", "api_keys"))

    @cached_property
    def actor_names(self) -> Collection[str]:
        return dict.fromkeys([*self._tree.keys("spacetime", "identities"), *self.key_names])

    @cached_property
    def row_names(self) -> Collection[str]:
        return dict.fromkeys(self._tree.keys("intuition", "identities"))

    @property
    def stubbed_requests(self) -> Iterable[str]:
        """Those of the stubs; of very many steps and stubs not all are compared, and the others are no mistakes."""
        return (each if next(self._comparisons, None) is not None else "* /**" for each in self._stubbed)

    def is_actor(self, name: str) -> bool:
        return name in self.actor_names or _in_crowd(name, self._crowds[0])

    def is_key(self, name: str) -> bool:
        return name in self.key_names or name in self._keys or _ID.fullmatch(name) is not None

    def is_row(self, name: str) -> bool:
        return name in self.row_names or _in_crowd(name, self._crowds[1]) or _ID.fullmatch(name) is not None


def _in_crowd(name: str, crowd: schema.SpacetimeCrowd | schema.IntuitionCrowd | None) -> bool:
    if crowd is None:
        return False
    before, _, after = crowd.name.partition("{n}")
    number = name.removeprefix(before).removesuffix(after)
    if not (number.isdecimal() and number.isascii() and len(number) < 9):
        return False
    return 1 <= int(number) <= crowd.count and schema.numbered(crowd.name, int(number)) == name


def senseless(tree: Node, scenario: schema.Scenario, suggest: Suggest) -> Iterator[Mistake]:
    """All mistakes that are not errors of type, with their paths."""
    names = Names(tree, scenario, suggest)
    yield from _too_much(scenario)
    yield from _clock(scenario)
    yield from _spacetime(scenario.spacetime)
    yield from _reducers(scenario.spacetime, suggest)
    yield from _intuition(scenario.intuition, names)
    for at, step in enumerate(scenario.script):
        for path, text in mistakes_in(step, names):
            yield ("script", at, *path), text
    for at, stub in enumerate(scenario.stubs[:MOST_STUBS]):
        for path, text in _stub(stub, scenario.spacetime.profile):
            yield ("stubs", at, *path), text


def _stub(stub: StubSpec, profile: str | None) -> Iterator[tuple[Where, str]]:
    """The mistakes in a stub. Without a profile it is one only if the request is emulated in each."""
    yield from mistakes(stub)
    releases = PROFILES.values() if profile is None else [PROFILES[resolved(profile)]]
    reasons = (why_emulated(stub.request, (*operations_of(each), *OPERATIONS)) for each in releases)
    if (why := next(reasons)) and all(reasons):
        yield ("request",), why


# --- budgets ----------------------------------------------------------------------------------------------------------


def _too_much(scenario: schema.Scenario) -> Iterator[Mistake]:
    """What is within each limit, and too much all together."""
    yield from _beyond(schema.MOST_ROWS, "identities", _rows(scenario))
    counted = scenario.spacetime.reducers.items()
    yield from _beyond(
        MOST_REDUCERS, "reducers", ((("spacetime", "reducers", name), len(all_)) for name, all_ in counted)
    )
    yield from _beyond(MOST_STUBS, "stubs", [(("stubs",), len(scenario.stubs))])
    yield from _beyond(_MOST_DATABASES_IN_ALL, "databases", _owned(scenario.spacetime))
    yield from _beyond(_MOST_TEXT, "characters in members of crowds", _texts(scenario))


def _beyond(most: int, what: str, counts: Iterable[tuple[Path, int]]) -> Iterator[Mistake]:
    total = 0
    for path, count in counts:
        total += count
        if total > most:
            yield path, f"{total:,} {what} up to here; the limit is {most:,}"
            return


def _rows(scenario: schema.Scenario) -> Iterator[tuple[Path, int]]:
    for part, where in ((scenario.spacetime, "spacetime"), (scenario.intuition, "intuition")):
        yield (where, "identities"), len(part.identities)
        if part.crowd is not None:
            yield (where, "crowd", "count"), part.crowd.count


def _owned(part: schema.SpacetimePart) -> Iterator[tuple[Path, int]]:
    for name, person in part.identities.items():
        if person is not None:
            yield ("spacetime", "identities", name, "databases"), _count(person.databases)
    if part.crowd is not None:
        yield ("spacetime", "crowd", "databases"), part.crowd.count * part.crowd.databases


def _count(databases: int | tuple[str, ...]) -> int:
    return databases if isinstance(databases, int) else len(databases)


def _texts(scenario: schema.Scenario) -> Iterator[tuple[Path, int]]:
    for crowd, where in ((scenario.spacetime.crowd, "spacetime"), (scenario.intuition.crowd, "intuition")):
        if crowd is None:
            continue
        for field in crowd.__struct_fields__:
            value = getattr(crowd, field)
            text = schema.numbered(value, crowd.count) if isinstance(value, str) else str(value)
            yield (where, "crowd", field), crowd.count * len(text)


# --- the clock --------------------------------------------------------------------------------------------------------


def _clock(scenario: schema.Scenario) -> Iterator[Mistake]:
    clock = scenario.clock
    if clock.freeze is not None:
        try:
            parse_rfc3339(clock.freeze)
        except ValueError as error:
            yield ("clock", "freeze"), f"{error}; write it like 2024-02-15T05:47:17Z"
    if clock.skew is not None and clock.freeze is not None:
        yield ("clock", "skew"), "a frozen clock has no skew; remove `freeze` or `skew`"
    elif clock.skew is not None:
        try:
            Clock().run_ahead(clock.skew)
        except ValueError as error:
            yield ("clock", "skew"), str(error)


# --- SpacetimeDB ------------------------------------------------------------------------------------------------------


def _spacetime(part: schema.SpacetimePart) -> Iterator[Mistake]:
    base: Path = ("spacetime", "identities")
    for name, person in part.identities.items():
        for path, text in _person(name, person or schema.SpacetimePerson()):
            yield (*base, name, *path), text
    for path, text in _database_names(part.identities):
        yield (*base, *path), text
    if (crowd := part.crowd) is not None:
        yield from _template(("spacetime", "crowd", "name"), crowd)
        for path, text in _person(crowd.name, crowd.person(crowd.count)):
            yield ("spacetime", "crowd", *path), text
        yield from _clash(base, part.identities, crowd)


def _reducers(part: schema.SpacetimePart, suggest: Suggest) -> Iterator[Mistake]:
    owned = [person.databases for person in part.identities.values() if person]
    names = {name for databases in owned if isinstance(databases, tuple) for name in databases}
    for database, reducers in part.reducers.items():
        path: Path = ("spacetime", "reducers", database)
        if database not in names:
            yield path, f"no identity has a database {database[:60]!r}; {suggest(database, sorted(names))}"
        for at, reducer in enumerate(reducers):
            if wrong := reducer_fault(reducer):
                yield (*path, at), wrong


def _person(name: str, person: schema.SpacetimePerson) -> Iterator[Mistake]:
    if not name:
        yield (), "a name has at least one letter"
    for field, text in (("issuer", person.issuer), ("subject", person.subject)):
        if text is not None and not 0 < len(text.encode()) <= LONGEST_NAME:
            yield (field,), f"it has {len(text.encode())} bytes; the server accepts 1 to {LONGEST_NAME}"
    if person.email is not None and (fault := email.fault(person.email)):
        yield ("email",), f"{person.email!r}: {fault}"
    for claim in sorted(CLAIM_NAMES & person.claims.keys()):
        yield ("claims", claim), "a standard claim; use `issuer`, `subject`, `audience` or `expires_in`"
    if person.expires_in is not None and abs(person.expires_in) > _LONGEST_LIFE:
        yield ("expires_in",), f"at most {_LONGEST_LIFE} seconds before or after the start of the world"
    yield from _databases(person.databases)


def _databases(given: int | tuple[str, ...]) -> Iterator[Mistake]:
    count = _count(given)
    if not 0 <= count <= _MOST_DATABASES:
        yield ("databases",), f"{count} databases; 0 to {_MOST_DATABASES} are allowed"


def _database_names(people: Mapping[str, schema.SpacetimePerson | None]) -> Iterator[Mistake]:
    """Names are as a server accepts them, and each is one database, whoever owns it."""
    owners: dict[str, str] = {}
    for actor, person in people.items():
        given = person.databases if person and isinstance(person.databases, tuple) else ()
        if twice := _twice(given):
            yield (actor, "databases"), f"{twice[:_SHOWN]!r} is used twice"
        for at, name in enumerate(given):
            if fault := database_names.fault(name):
                yield (actor, "databases", at), f"{name[:_SHOWN]!r}: {fault}; {database_names.ALLOWED}"
            elif owners.setdefault(name, actor) != actor:
                taken = f"{name[:_SHOWN]!r} is taken by a database of {owners[name]}; names are unique, use another one"
                yield (actor, "databases", at), taken


def _twice(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _template(path: Path, crowd: schema.SpacetimeCrowd | schema.IntuitionCrowd) -> Iterator[Mistake]:
    if crowd.name.count("{n}") != 1:
        yield path, "it must have {n} exactly once, where the number goes"


# --- Intuition --------------------------------------------------------------------------------------------------------


def _intuition(part: schema.IntuitionPart, names: Names) -> Iterator[Mistake]:
    yield from _keys(part)
    for name, row in part.identities.items():
        path: Path = ("intuition", "identities", name)
        if not name:
            yield path, "a name has at least one letter"
        yield from _wallet((*path, "creator"), row.creator, names)
        for at, position in enumerate(row.positions):
            yield from _position((*path, "positions", at), position, names)
    if (crowd := part.crowd) is not None:
        yield from _template(("intuition", "crowd", "name"), crowd)
        yield from _wallet(("intuition", "crowd", "creator"), crowd.creator, names)
        yield from _clash(("intuition", "identities"), part.identities, crowd)
    if part.lifecycle and part.lifecycle.complete_after is not None and not _ever_pending(part):
        yield ("intuition", "lifecycle", "complete_after"), "no identity is ever pending; add `pending: true`"


def _ever_pending(part: schema.IntuitionPart) -> bool:
    there = [row.status for row in part.identities.values()] + ([part.crowd.status] if part.crowd else [])
    return bool(part.lifecycle and part.lifecycle.pending) or "pending" in there


def _clash(path: Path, names: Iterable[str], crowd: schema.SpacetimeCrowd | schema.IntuitionCrowd) -> Iterator[Mistake]:
    for name in names:
        if _in_crowd(name, crowd):
            yield (*path, name), "a member of the crowd has this name"


def _keys(part: schema.IntuitionPart) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for name, given in part.api_keys.items():
        path: Path = ("intuition", "api_keys", name)
        if not name:
            yield path, "a name has at least one letter"
        if given and given.wallet is not None and "\0" in given.wallet:
            yield (*path, "wallet"), "no environment variable can hold it; remove the NUL"
        key = given.key if given else None
        if key is None:
            continue
        if not _SENDABLE.fullmatch(key):
            yield (*path, "key"), "a key is printable ASCII without spaces around it"
        if key in seen:
            yield (*path, "key"), f"{seen[key]} has the same key"
        seen[key] = name


def _wallet(path: Path, wallet: schema.Wallet, names: Names) -> Iterator[Mistake]:
    if isinstance(wallet, schema.Reference) and wallet.actor not in names.key_names:
        hint = (
            "has no wallet; add the actor to intuition.api_keys"
            if names.is_actor(wallet.actor)
            else f"is not an actor with an API key; {names.suggest(wallet.actor, names.key_names)}"
        )
        yield (*path, "actor"), f"{wallet.actor!r} {hint}"


def _position(path: Path, position: schema.PositionPart, names: Names) -> Iterator[Mistake]:
    yield from _wallet((*path, "wallet"), position.wallet, names)
    digits = str(position.amount)
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 80 and int(digits) > 0):
        yield (*path, "amount"), f"a stake is a positive number of wei, not {digits[:60]}"
