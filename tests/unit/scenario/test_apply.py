"""A scenario is applied to a new world."""

from emulator.core.clock import rfc3339
from emulator.services.intuition.content_address import cid_v0, keccak256
from emulator.services.intuition.model import Draft
from emulator.services.spacetimedb.model import identity_of
from tests.unit.scenario.support import PEOPLE, document, handle, stage, world
from tests.worlds import handle_of, make_stage, world_of

# --- SpacetimeDB ------------------------------------------------------------------------------------------------------


def test_an_actor_has_an_identity_a_token_an_email_and_databases() -> None:
    begun = stage(PEOPLE)
    found = handle_of(begun)
    alice = found.actors["alice"]
    store = world_of(begun).spacetime

    assert store.read(alice.token).identity == alice.identity
    assert found.spacetime.email_of(alice.identity) == "alice@example.com"
    assert tuple(alice.databases.values()) == store.databases_of(store.read(alice.token).identity)
    assert list(alice.databases) == ["chat", "shop"]


def test_a_token_has_the_claims_of_the_scenario() -> None:
    begun = stage(PEOPLE)
    found = handle_of(begun)
    claims = world_of(begun).spacetime.read(found.actors["bob"].token)

    assert (claims.issuer, claims.subject, claims.audience, claims.extra) == (
        "https://auth.example.com",
        "bob",
        ("web",),
        {"role": "admin"},
    )
    assert claims.identity == identity_of("https://auth.example.com", "bob")


def test_a_token_expires_when_the_scenario_says() -> None:
    begun = stage(document(spacetime={"identities": {"late": {"expires_in": 60.4}}}))
    found = handle_of(begun)
    claims = world_of(begun).spacetime.read(found.actors["late"].token)

    assert claims.expires_at == claims.issued_at + 60


def test_what_the_seed_gives_belongs_to_the_name() -> None:
    more = {"identities": {"zoe": None, **PEOPLE["spacetime"]["identities"]}}
    keys = {"zoe": None, **PEOPLE["intuition"]["api_keys"]}
    rows = {"zero": {"display_name": "Zero"}, **PEOPLE["intuition"]["identities"]}
    first = handle(PEOPLE)
    second = handle(PEOPLE | {"spacetime": more, "intuition": {"api_keys": keys, "identities": rows}})

    assert first.actors["alice"].to_json() == second.actors["alice"].to_json()
    assert first.actors["alice"].databases == second.actors["alice"].databases
    assert first.intuition.identities["jp"].id == second.intuition.identities["jp"].id


def test_everything_is_the_same_on_every_machine() -> None:
    found = handle(PEOPLE)

    assert found.actors["alice"].identity == "c200449e4b2a045f194fdce0d9c50bce5278e80ae2ded577b73f7501aeca8ad4"
    assert found.actors["alice"].api_key == "c42c4148-cf91-4b62-a389-2e2150712528"
    assert found.actors["alice"].wallet == "0x76688750e7578bb87e7e1f706a45dee9bf4687c8"
    assert found.intuition.identities["jp"].id == "3d06d268-dbd2-45d2-bb05-f42b1f506c8b"


def test_another_seed_gives_others() -> None:
    assert handle(PEOPLE).actors["alice"].identity != handle(PEOPLE, seed=8).actors["alice"].identity


# --- Intuition --------------------------------------------------------------------------------------------------------


def test_a_key_belongs_to_its_wallet() -> None:
    begun = stage(PEOPLE)
    found = handle_of(begun)
    key = world_of(begun).intuition.api_key(found.actors["ci"].api_key)

    assert key
    assert key.wallet == found.actors["ci"].wallet == "0x52"
    assert found.actors["own"].api_key == "abc"


def test_a_row_is_what_a_creation_makes() -> None:
    found = handle(PEOPLE)
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
    row = handle(PEOPLE).intuition.identities["jp"]

    assert (row.num_positions, row.assets_sum) == (2, "1000000000000000000005")


def test_only_what_is_on_the_chain_has_a_vault() -> None:
    rows = handle(PEOPLE).intuition.identities

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
    assert "INTUITION_API_KEY" not in handle(document(intuition={"default_api_key": False})).env()


def test_the_first_key_of_the_scenario_is_the_environments() -> None:
    found = handle(PEOPLE)

    assert found.env()["INTUITION_API_KEY"] == found.actors["ci"].api_key
    found.intuition.revoke_api_key(found.actors["ci"].api_key)
    assert found.env()["INTUITION_API_KEY"] == found.actors["alice"].api_key


def test_actors_are_environment_variables_but_crowds_are_not() -> None:
    found = handle(document(spacetime={"identities": {"the-one": None}, "crowd": {"count": 3}}))

    assert found.actors_env() == {
        "THE_ONE_IDENTITY": found.actors["the-one"].identity,
        "THE_ONE_TOKEN": found.actors["the-one"].token,
    }


def test_a_pending_row_completes_when_the_lifecycle_says_in_every_world() -> None:
    begun = stage(
        document(
            intuition={
                "identities": {"jp": {"display_name": "JP", "status": "pending"}},
                "lifecycle": {"complete_after": 30},
            }
        )
    )
    for _ in range(2):
        world_of(begun).clock.advance(3600)
        assert world_of(begun).intuition.rows[0].status == "complete"
        begun.reset()
        assert world_of(begun).intuition.rows[0].status == "pending"
        world_of(begun).clock.advance(29)
        assert world_of(begun).intuition.rows[0].status == "pending"


def test_a_due_completion_moves_with_the_start_of_the_world() -> None:
    begun = make_stage(scenario="pending_identity")
    for each in (world_of(begun), begun.reset()):
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
    begun = stage(CROWD)
    found = handle_of(begun)
    last = found.actors["u30"]

    assert len(found.actors) == 31
    assert found.spacetime.email_of(last.identity) == "u30@x.y"
    assert list(last.databases) == ["1", "2"]
    assert world_of(begun).spacetime.read(last.token).extra == {"a": 1}
    assert found.intuition.identities["r30"].display_name == "R 30"
    assert found.intuition.identities["r30"].description == "d30"


def test_each_of_a_crowd_is_what_a_creation_makes() -> None:
    begun = stage(CROWD)
    found = handle_of(begun)
    ci = found.actors["ci"].wallet
    for number, row in enumerate(world_of(begun).intuition.rows.merged().values(), 1):
        did = "did:intuition:ipfs:" + cid_v0(Draft(f"R {number}", ci, f"d{number}").document())
        assert (row.identity_id, row.identity_hash) == (did, "0x" + keccak256(did.encode()))
        assert row.vault_id == str(number)


def test_members_of_a_crowd_have_the_default_name_unless_it_has_another() -> None:
    assert handle(document(intuition={"crowd": {"count": 2}})).intuition.identities["user-2"].display_name == "user-2"
