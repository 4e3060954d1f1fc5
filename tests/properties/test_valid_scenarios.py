"""Any scenario that is valid starts, and all that begins with it can be asked for, written down and read again."""

import json
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from emulator import Misconfigured
from emulator.scenario.loader import find
from emulator.scenario.schema import Scenario
from emulator.world.config import Inline
from emulator.world.snapshot_document import read, written
from tests.worlds import handle_of, make_stage, world_of

NUMBERS = [0, 1, -1, 2, 100, 503, 1000, 1001, 2**63, -(2**63), 2**64, 10**30, 10**299, -(10**299)]
FRACTIONS = [0.0, 0.5, -0.5, 0.001, 1e9, -5e9, 1e10, 2.6e11, 1e12, 1e13, -1e12, 1e305, -1e305, 1e-305]
TEXTS = ["", "a", "é", "a\nb", "x=y", "\0", "١", "0x81", "5", "1" * 78, "did:x", "alice", "jp", "ci"]
TEXTS += ["user-{n}", "{n}@b.c", "a@b.c", "x" * 128, "GET /v1/ping", "POST /identity", "* /**", "GET /v1/*/**"]
TEXTS += ["2024-02-15T05:47:17Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"]
NAMES = st.sampled_from(["alice", "bob", "ci", "jp", "user-1", "x=y", "é"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.sampled_from([*NUMBERS, *FRACTIONS, *TEXTS]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)
_SIMPLE: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.NoneType: st.none(),
    inspect.BoolType: st.booleans(),
    inspect.StrType: st.sampled_from(TEXTS),
    inspect.FloatType: st.sampled_from([*NUMBERS, *FRACTIONS]),
    inspect.AnyType: ANYTHING,
}


def values(kind: inspect.Type, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a type, good and bad."""
    if isinstance(kind, inspect.UnionType):
        return st.one_of([values(each, depth) for each in kind.types])
    if isinstance(kind, inspect.StructType):
        parts = {field.encode_name: (values(field.type, depth + 1), field.required) for field in kind.fields}
        required = {name: each for name, (each, needed) in parts.items() if needed}
        optional = {name: each for name, (each, needed) in parts.items() if not needed and name != "extends"}
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(kind, inspect.DictType):
        return st.dictionaries(NAMES, values(kind.value_type, depth + 1), max_size=2)
    if isinstance(kind, inspect.VarTupleType):
        return st.lists(values(kind.item_type, depth + 1), max_size=2)
    if isinstance(kind, inspect.TupleType):
        return st.tuples(*(values(each, depth + 1) for each in kind.item_types)).map(list)
    if isinstance(kind, inspect.IntType):  # no large crowds: they are slow
        return st.sampled_from([1, 2, 3] if kind.ge == 1 else NUMBERS)
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    return _SIMPLE[type(kind)]


def is_valid(document: dict[str, Any]) -> bool:
    try:
        return not find([Inline(json.dumps(document))]).problems
    except Misconfigured:
        return False


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(values(inspect.type_info(Scenario)))
def test_what_is_valid_starts(document: dict[str, Any]) -> None:
    if not is_valid(document):
        return
    stage = make_stage(scenario=document)
    world, emulator = world_of(stage), handle_of(stage)

    environment = {name: value for actor in emulator.actors.values() for name, value in actor.env().items()}

    assert "\0" not in "".join(environment.values())
    assert msgspec.json.encode([fault.to_json() for fault in world.faults])
    assert world_of(stage).seed == read(written(world), world).seed
