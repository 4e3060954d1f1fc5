"""A scenario becomes the beginning of worlds."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import pytest

from emulator import Config, Emulator, Misconfigured
from emulator.clock import rfc3339
from emulator.intuition.model import Draft, cid_v0, keccak256
from emulator.scenario.source import Given
from emulator.spacetime.model import identity_of
from emulator.stage import Stage
from emulator.world import World

MOMENT = datetime(2024, 2, 15, 5, 47, 17, tzinfo=UTC)


def document(**parts: Any) -> dict[str, Any]:
    return {"version": 1, "seed": 7, **parts}


def stage(scenario: Given, **settings: Any) -> Stage:
    return Stage(Config(scenario=scenario, freeze_at=MOMENT, **settings))


def world(scenario: Given, **settings: Any) -> World:
    return stage(scenario, **settings).world


def emulator(scenario: Given, **settings: Any) -> Emulator:
    return Emulator("http://nowhere", stage(scenario, **settings), lambda: None)


PEOPLE = document(
    spacetime={
        "identities": {
            "alice": {"email": "Alice@Example.com", "databases": ["chat", "shop"]},
            "bob": {
                "issuer": "https://auth.example.com",
                "subject": "bob",
                "audience": "web",
                "claims": {"role": "admin"},
            },
            "eve": None,
        }
    },
    intuition={
        "api_keys": {"ci": {"wallet": "0x52"}, "alice": None, "own": {"key": "abc"}},
        "identities": {
            "jp": {
                "display_name": "JP",
                "creator": {"actor": "ci"},
                "description": "It's me, JP",
                "image": "i",
                "external_reference": "42",
                "positions": [
                    {"wallet": {"actor": "alice"}, "amount": 5},
                    {"wallet": "0x81", "amount": "10" + "0" * 20},
                ],
            },
            "new": {"display_name": "New", "status": "pending"},
            "bad": {"display_name": "Bad", "status": "error"},
            "old": {"display_name": "Old", "status": "removed"},
            "jp2": {"display_name": "JP2"},
        },
    },
)


# --- SpacetimeDB ------------------------------------------------------------------------------------------------------


def test_an_actor_has_an_identity_a_token_an_email_and_databases() -> None:
    found = emulator(PEOPLE)
    alice = found.actors["alice"]
    store = found._stage.world.spacetime

    assert store.read(alice.token).identity == alice.identity
    assert found.spacetime.email_of(alice.identity) == "alice@example.com"
    assert tuple(alice.databases.values()) == store.databases_of(store.read(alice.token).identity)
    assert list(alice.databases) == ["chat", "shop"]


def test_a_token_says_what_the_scenario_says() -> None:
    found = emulator(PEOPLE)
    claims = found._stage.world.spacetime.read(found.actors["bob"].token)

    assert (claims.issuer, claims.subject, claims.audience, claims.extra) == (
        "https://auth.example.com",
        "bob",
        ("web",),
        {"role": "admin"},
    )
    assert claims.identity == identity_of("https://auth.example.com", "bob")


def test_a_token_ends_when_the_scenario_says() -> None:
    found = emulator(document(spacetime={"identities": {"late": {"expires_in": 60.4}}}))
    claims = found._stage.world.spacetime.read(found.actors["late"].token)

    assert claims.expires_at == claims.issued_at + 60


def test_what_the_seed_gives_belongs_to_the_name() -> None:
    more = {"identities": {"zoe": None, **PEOPLE["spacetime"]["identities"]}}
    keys = {"zoe": None, **PEOPLE["intuition"]["api_keys"]}
    rows = {"zero": {"display_name": "Zero"}, **PEOPLE["intuition"]["identities"]}
    first = emulator(PEOPLE)
    second = emulator(PEOPLE | {"spacetime": more, "intuition": {"api_keys": keys, "identities": rows}})

    assert first.actors["alice"].to_json() == second.actors["alice"].to_json()
    assert first.actors["alice"].databases == second.actors["alice"].databases
    assert first.intuition.identities["jp"].id == second.intuition.identities["jp"].id


def test_everything_is_the_same_on_every_machine() -> None:
    found = emulator(PEOPLE)

    assert found.actors["alice"].identity == "c200449e4b2a045f194fdce0d9c50bce5278e80ae2ded577b73f7501aeca8ad4"
    assert found.actors["alice"].api_key == "c42c4148-cf91-4b62-a389-2e2150712528"
    assert found.actors["alice"].wallet == "0x76688750e7578bb87e7e1f706a45dee9bf4687c8"
    assert found.intuition.identities["jp"].id == "3d06d268-dbd2-45d2-bb05-f42b1f506c8b"


def test_another_seed_gives_others() -> None:
    assert emulator(PEOPLE).actors["alice"].identity != emulator(PEOPLE, seed=8).actors["alice"].identity


# --- Intuition --------------------------------------------------------------------------------------------------------


def test_a_key_belongs_to_its_wallet() -> None:
    found = emulator(PEOPLE)
    key = found._stage.world.intuition.api_key(found.actors["ci"].api_key)

    assert key
    assert key.wallet == found.actors["ci"].wallet == "0x52"
    assert found.actors["own"].api_key == "abc"


def test_a_row_is_what_a_creation_makes() -> None:
    found = emulator(PEOPLE)
    row = found.intuition.identities["jp"]
    made = found.intuition.create_identity(
        display_name="JP", creator="0x52", description="It's me, JP", image="i", external_reference="42"
    )

    assert row.identity_id == made.identity_id
    assert row.identity_hash == made.identity_hash
    assert row.creator == made.creator
    assert (row.vault_id, made.vault_id) == ("1", "4")
    assert row.created_at == made.created_at == rfc3339(found.clock.micros())


def test_stakes_add_up() -> None:
    row = emulator(PEOPLE).intuition.identities["jp"]

    assert (row.num_positions, row.assets_sum) == (2, "1000000000000000000005")


def test_only_what_is_on_the_chain_has_a_vault() -> None:
    rows = emulator(PEOPLE).intuition.identities

    assert {name: (rows[name].status, rows[name].vault_id) for name in ("new", "bad", "old", "jp2")} == {
        "new": ("pending", "0"),
        "bad": ("error", "0"),
        "old": ("removed", "2"),
        "jp2": ("complete", "3"),
    }


def test_a_row_is_found_by_all_its_ids() -> None:
    store = world(PEOPLE).intuition
    row = store.rows[store.names["jp2"]]

    assert store.find(row.id) == store.find(row.identity_id) == store.find(row.vault_id) == row
    assert row.identity_hash


def test_of_equal_rows_the_first_has_the_content_address() -> None:
    rows = {"a": {"display_name": "JP"}, "b": {"display_name": "JP"}}
    store = world(document(intuition={"identities": rows})).intuition

    assert store.number(store.rows[1].identity_id) == 0


def test_the_default_key_can_be_taken_away() -> None:
    assert world(document()).api_key == "00000000-0000-4000-8000-000000000001"
    assert world(document(intuition={"default_api_key": False})).api_key == ""
    assert "INTUITION_API_KEY" not in emulator(document(intuition={"default_api_key": False})).env()


def test_the_first_key_of_the_scenario_is_the_environments() -> None:
    found = emulator(PEOPLE)

    assert found.env()["INTUITION_API_KEY"] == found.actors["ci"].api_key
    found.intuition.revoke_api_key(found.actors["ci"].api_key)
    assert found.env()["INTUITION_API_KEY"] == found.actors["alice"].api_key


def test_actors_are_environment_variables_but_crowds_are_not() -> None:
    found = emulator(document(spacetime={"identities": {"the-one": None}, "crowd": {"count": 3}}))

    assert found.actors_env() == {
        "THE_ONE_IDENTITY": found.actors["the-one"].identity,
        "THE_ONE_TOKEN": found.actors["the-one"].token,
    }


def test_a_pending_row_completes_when_the_lifecycle_says_in_every_world() -> None:
    found = stage(
        document(
            intuition={
                "identities": {"jp": {"display_name": "JP", "status": "pending"}},
                "lifecycle": {"complete_after": 30},
            }
        )
    )
    for _ in range(2):
        found.world.clock.advance(3600)
        assert found.world.intuition.rows[0].status == "complete"
        found.reset()
        assert found.world.intuition.rows[0].status == "pending"
        found.world.clock.advance(29)
        assert found.world.intuition.rows[0].status == "pending"


def test_a_due_completion_moves_with_the_worlds_beginning() -> None:
    found = Stage(Config(scenario="pending_identity"))
    for each in (found.world, found.reset()):
        [(due, _)] = each.intuition.completions
        assert due == each.faults.begun + 30_000_000


def test_cors_is_the_scenarios() -> None:
    assert world(document(intuition={"cors": True})).intuition.cors


# --- crowds -----------------------------------------------------------------------------------------------------------

CROWD = document(
    spacetime={"crowd": {"count": 30, "name": "u{n}", "email": "u{n}@x.y", "databases": 2, "claims": {"a": 1}}},
    intuition={
        "api_keys": {"ci": None},
        "crowd": {
            "count": 30,
            "name": "r{n}",
            "display_name": "R {n}",
            "description": "d{n}",
            "creator": {"actor": "ci"},
        },
    },
)


def test_a_crowd_differs_in_a_number() -> None:
    found = emulator(CROWD)
    last = found.actors["u30"]

    assert len(found.actors) == 31
    assert found.spacetime.email_of(last.identity) == "u30@x.y"
    assert list(last.databases) == ["1", "2"]
    assert found._stage.world.spacetime.read(last.token).extra == {"a": 1}
    assert found.intuition.identities["r30"].display_name == "R 30"
    assert found.intuition.identities["r30"].description == "d30"


def test_each_of_a_crowd_is_what_a_creation_makes() -> None:
    found = emulator(CROWD)
    ci = found.actors["ci"].wallet
    for number, row in enumerate(found._stage.world.intuition.rows.merged().values(), 1):
        did = "did:intuition:ipfs:" + cid_v0(Draft(f"R {number}", ci, f"d{number}").document())
        assert (row.identity_id, row.identity_hash) == (did, "0x" + keccak256(did.encode()))
        assert row.vault_id == str(number)


def test_a_crowd_goes_by_the_name_unless_it_has_another() -> None:
    assert emulator(document(intuition={"crowd": {"count": 2}})).intuition.identities["user-2"].display_name == "user-2"


# --- what wins --------------------------------------------------------------------------------------------------------


def test_what_the_config_says_wins_over_the_scenario() -> None:
    parts = document(clock={"freeze": "2025-01-01T00:00:00Z"}, spacetime={"profile": "v1"})
    found = world(parts, seed=9, spacetime_profile="v2")

    assert (found.seed, found.spacetime.profile.name, found.clock.now()) == (9, "v2", MOMENT)


def test_what_the_config_leaves_out_the_scenario_says() -> None:
    parts = document(clock={"freeze": "2025-01-01T00:00:00Z"}, spacetime={"profile": "v1"})
    found = Stage(Config(scenario=parts)).world

    assert (found.seed, found.spacetime.profile.name) == (7, "v1")
    assert found.clock.now() == datetime(2025, 1, 1, tzinfo=UTC)


def test_what_neither_says_comes_from_below() -> None:
    found = Stage(Config(scenario={"version": 1}), below=Config(seed=5, spacetime_profile="v1")).world

    assert (found.seed, found.spacetime.profile.name) == (5, "v1")


def test_a_skewed_clock_runs_ahead() -> None:
    found = Stage(Config(scenario=document(clock={"skew": 3600}))).world

    assert not found.clock.frozen
    assert 3590 < (found.clock.now() - datetime.now(UTC)).total_seconds() < 3610


def test_layers_are_laid_over_each_other() -> None:
    above = {
        "version": 1,
        "spacetime": {"identities": {"alice": {"email": "new@x.y"}}},
        "script": [{"at": 5, "do": {"rotate_key": True}}],
    }
    found = emulator((PEOPLE, "lost_answer", above))
    alice = found.actors["alice"]

    assert found.spacetime.email_of(alice.identity) == "new@x.y"
    assert list(alice.databases) == ["chat", "shop"]
    assert len(found.faults) == 3
    assert found._stage.world.scenario == ("inline document", "lost_answer", "inline document")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_extends_others_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "base.yaml").write_text(
        "version: 1\nextends: two_friends\nspacetime: {identities: {eve: }}\n"
    )
    (tmp_path / "top.json").write_text('{"version": 1, "extends": ["below/base.yaml", "lost_answer"]}')

    found = world(tmp_path / "top.json")

    assert [actor.name for actor in found.actors] == ["alice", "bob", "eve"]
    assert len(found.faults) == 2
    assert found.scenario == ("top.json",)


def refused(scenario: Given) -> str:
    with pytest.raises(Misconfigured) as error:
        Stage(Config(scenario=scenario))
    return str(error.value)


def test_files_that_extend_each_other_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nextends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("version: 1\nextends: a.yaml\n")

    assert refused(tmp_path / "a.yaml") == "b.yaml:2:10 extends: a.yaml extends this one already"


def test_a_file_that_is_not_there_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nextends: [two_freinds, c.yaml, d.py]\n")

    assert refused(str(tmp_path / "no.yaml")).startswith(f"there is no scenario file {tmp_path / 'no.yaml'}, not in ")
    assert refused(tmp_path / "a.yaml").splitlines() == [
        f"{tmp_path / 'a.yaml'}:2:11 extends[0]: there is no scenario 'two_freinds'; did you mean 'two_friends'?",
        f"{tmp_path / 'a.yaml'}:2:24 extends[1]: there is no scenario file c.yaml, not in {tmp_path}",
        f"{tmp_path / 'a.yaml'}:2:32 extends[2]: a file can't extend a Python scenario",
    ]


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    assert "there is no scenario file" in refused(tmp_path)


def test_a_document_extends_bundled_ones_only() -> None:
    assert refused({"version": 1, "extends": "./x.yaml"}) == (
        "extends: a document that is in no file extends bundled ones only"
    )
    assert len(world({"version": 1, "extends": "two_friends"}).actors) == 2


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("two_freinds", "there is no scenario 'two_freinds'; did you mean 'two_friends'?"),
        (5, "a scenario is a name, a path, a document or a function, not 5"),
        ({"version": {1, 2}}, "the scenario is not JSON"),
        ({"version": float("nan")}, "version: not a number that JSON has"),
        ({"version": 2}, "version: no '2' here, there is 1"),
        ([None], "not None"),
    ],
)
def test_what_is_no_scenario_is_refused(scenario: Any, message: str) -> None:
    assert message in refused(scenario)


def test_no_layers_are_no_scenario_whatever_is_below() -> None:
    assert Config(scenario=()).over(Config(scenario="two_friends")).scenario == ()
    assert len(world(()).actors) == 0


def test_of_very_many_mistakes_the_first_hundred_are_told() -> None:
    lines = refused({"version": 1, **{f"x{n}": 1 for n in range(300)}}).splitlines()

    assert len(lines) == 101
    assert lines[-1] == "and 200 more"


# --- loading and going back -------------------------------------------------------------------------------------------


def test_a_plain_reset_goes_back_to_what_was_loaded() -> None:
    found = emulator("quickstart")
    found.load("two_friends")
    found.spacetime.rotate_key()
    found.reset()

    assert list(found.actors) == ["alice", "bob"]
    assert found.clock.now() == MOMENT


def test_a_reset_with_a_config_goes_to_that_once() -> None:
    found = emulator("quickstart")
    found.load("two_friends")
    found.reset(Config(scenario="key_rotation", seed=3))
    assert found._stage.world.seed == 3
    found.reset()

    assert found._stage.world.scenario == ("two_friends",)


def test_a_load_that_fails_leaves_the_world(tmp_path: Path) -> None:
    found = emulator("two_friends")
    standing = found._stage.world
    (tmp_path / "bad.yaml").write_text("version: 1\nsead: 7\n")

    with pytest.raises(Misconfigured, match="sead: unknown key"):
        found.load(tmp_path / "bad.yaml")

    assert found._stage.world is standing
    found.reset()
    assert found._stage.world.scenario == ("two_friends",)


def test_a_load_reads_the_file_anew_and_a_reset_does_not(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text("version: 1\nspacetime: {identities: {alice: }}\n")
    found = emulator(path)
    path.write_text("version: 1\nspacetime: {identities: {bob: }}\n")

    found.reset()
    assert list(found.actors) == ["alice"]
    found.load(path)
    assert list(found.actors) == ["bob"]
    path.write_text("version: 2")
    with pytest.raises(Misconfigured):
        found.load(path)
    found.reset()
    assert list(found.actors) == ["bob"]


def test_a_reset_brings_back_what_the_scenario_gave() -> None:
    found = emulator("two_friends")
    token = found.actors["alice"].token
    found.spacetime.rotate_key()
    found.intuition.revoke_api_key(found.actors["bob"].api_key)
    found.reset()

    assert found.actors["alice"].token == token
    assert found._stage.world.spacetime.read(token)
    assert found._stage.world.intuition.api_key(found.actors["bob"].api_key)


# --- functions --------------------------------------------------------------------------------------------------------


def months(emulator: Emulator) -> None:
    emulator.load("two_friends")
    emulator.intuition.create_identity(display_name="Day", creator="0x81")
    emulator.clock.advance(60)


def test_a_function_makes_the_beginning_once() -> None:
    made: list[Emulator] = []

    def once(emulator: Emulator) -> None:
        made.append(emulator)
        months(emulator)

    found = emulator(once)
    for _ in range(3):
        found.reset()
        found.intuition.create_identity(display_name="More", creator="0x81")

    assert len(made) == 1
    assert len(found.intuition.identities) == 4
    assert list(found.actors) == ["alice", "bob"]
    assert found._stage.world.scenario == ("once",)


def test_a_function_works_on_the_documents_below_it() -> None:
    def more(emulator: Emulator) -> None:
        assert emulator.actors["alice"].token
        emulator.faults.add("POST /identity", nth=1, status=503)

    found = emulator(("lost_answer", "quickstart", more), seed=5)

    assert len(found.faults) == 3
    assert found._stage.world.seed == 5


def test_what_a_function_does_to_the_clock_stays() -> None:
    def later(emulator: Emulator) -> None:
        emulator.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
        emulator.faults.add(at=10, rotate_key=True)

    found = Stage(Config(scenario=later))

    assert found.world.clock.now() == datetime(2030, 1, 1, tzinfo=UTC)
    found.world.clock.advance(9)
    assert found.world.faults.timed
    found.world.clock.advance(1)
    assert not found.world.faults.timed


def test_a_python_file_is_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "month.py"
    path.write_text("def scenario(emulator):\n    emulator.load('two_friends')\n")

    assert len(world(path).actors) == 2
    assert world(str(path)).scenario == ("month.py",)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "it.py has no function `def scenario(emulator: Emulator) -> None`"),
        ("import nothing_of_the_kind", "it.py can't be imported: it.py:1 ModuleNotFoundError: No module named"),
        ("def scenario(emulator):\n    emulator.load('nobody')", "it.py failed: "),
        ("def scenario(emulator):\n    1 / 0", "it.py failed: it.py:2 ZeroDivisionError: division by zero"),
        ("def scenario(emulator:", "it.py can't be imported: "),
    ],
)
def test_a_python_file_that_fails_is_told_with_its_line(tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "it.py").write_text(code)

    assert message in refused(tmp_path / "it.py")


# --- what it costs ----------------------------------------------------------------------------------------------------


def median(action: Callable[[], object], times: int = 200) -> float:
    taken = []
    for _ in range(times):
        began = perf_counter()
        action()
        taken.append(perf_counter() - began)
    return sorted(taken)[times // 2]


def test_a_reset_to_a_scenario_costs_what_an_empty_one_costs() -> None:
    crowd = document(spacetime={"crowd": {"count": 2000}}, intuition={"crowd": {"count": 5000}})
    full, empty = stage(crowd), Stage(Config())

    ratios = sorted(median(full.reset) / median(empty.reset) for _ in range(5))

    assert ratios[2] < 2


def test_a_crowd_of_rows_costs_a_fraction_of_their_creation() -> None:
    """In steps of the interpreter's own time: a bound that holds on a busy machine too."""
    gc.collect()
    began = process_time()
    world(document(intuition={"crowd": {"count": 2000}}))
    made = process_time() - began

    assert made < 1
