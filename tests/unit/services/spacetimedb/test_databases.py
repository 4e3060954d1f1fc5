import pytest

from emulator.core.context import Context
from emulator.services.spacetimedb.model import identity_of
from emulator.services.spacetimedb.store import Store
from tests.worlds import make_world

ALICE, BOB = identity_of("localhost", "alice"), identity_of("localhost", "bob")
GIVEN = identity_of("localhost", "given")


@pytest.fixture
def store() -> Store:
    return make_world().spacetime


def forked(store: Store) -> Store:
    context: Context = make_world().context
    return store.fork(context)


def test_a_database_is_found_by_its_name(store: Store) -> None:
    chat = store.add_database(ALICE, "chat")
    assert store.database("chat") == chat


def test_a_database_is_found_by_its_identity_in_either_case_and_after_0x(store: Store) -> None:
    chat = store.add_database(ALICE, "chat")
    found = [store.database(text) for text in (chat.identity, chat.identity.upper(), f"0x{chat.identity}")]
    assert found == [chat, chat, chat]


def test_a_database_says_whose_it_is(store: Store) -> None:
    assert store.add_database(ALICE, "chat").owner == ALICE


def test_a_database_without_a_name_is_found_by_its_identity_only(store: Store) -> None:
    nameless = store.add_database(ALICE)
    assert nameless.name is None
    assert store.database(nameless.identity) == nameless
    assert store.names_of(nameless.identity) == []


def test_the_names_of_a_database_are_told_by_identity(store: Store) -> None:
    assert store.names_of(store.add_database(ALICE, "chat").identity) == ["chat"]


def test_an_unknown_name_or_identity_is_no_database(store: Store) -> None:
    store.add_database(ALICE, "chat")
    assert store.database("chess") is None
    assert store.database(GIVEN) is None


def test_an_identity_can_be_given(store: Store) -> None:
    chat = store.add_database(ALICE, "chat", GIVEN)
    assert chat.identity == GIVEN
    assert store.database(GIVEN) == chat


def test_the_identity_of_a_named_database_depends_on_owner_and_name_only(store: Store) -> None:
    other = make_world().spacetime
    other.add_database(BOB)
    assert other.add_database(ALICE, "chat").identity == store.add_database(ALICE, "chat").identity


def test_a_name_can_be_used_once_whoever_owns_it(store: Store) -> None:
    store.add_database(ALICE, "chat")
    with pytest.raises(ValueError, match=f"'chat' is taken by a database of {ALICE}; names are unique"):
        store.add_database(BOB, "chat")


def test_an_identity_can_be_used_once(store: Store) -> None:
    store.add_database(ALICE, "chat", GIVEN)
    with pytest.raises(ValueError, match=r"a database has the identity c2\w+ already; give another `identity`"):
        store.add_database(BOB, None, GIVEN)


def test_a_name_that_no_server_accepts_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no database can be called 'my_db': invalid characters in database name; a"):
        store.add_database(ALICE, "my_db")
    assert store.databases_of(ALICE) == ()


def test_counted_databases_have_the_identities_of_their_numbers(store: Store) -> None:
    store.add_databases(ALICE, 2)
    assert [each.identity for each in store.databases_of(ALICE)] == [
        store.database_of(ALICE, number).identity for number in ("1", "2")
    ]


def test_a_label_of_another_owners_database_is_not_that_database(store: Store) -> None:
    chat = store.add_database(ALICE, "chat")
    assert store.database_of(BOB, "chat") != chat


def test_a_fork_finds_what_was_there_before(store: Store) -> None:
    chat = store.add_database(ALICE, "chat")
    copy = forked(store)
    assert copy.database("chat") == copy.database(chat.identity) == chat


def test_a_fork_does_not_find_what_was_added_later(store: Store) -> None:
    copy = forked(store)
    chat = store.add_database(ALICE, "chat")
    assert copy.database("chat") is copy.database(chat.identity) is None


def test_a_database_that_was_added_after_a_search_is_found_too(store: Store) -> None:
    first = store.add_database(ALICE)
    store.database(first.identity)
    second, third = store.add_database(ALICE), store.add_database(BOB)
    assert store.database(second.identity) == second
    assert store.database(third.identity) == third


def test_forks_share_the_index_by_identity(store: Store) -> None:
    store.add_databases(ALICE, 3)
    wanted = store.databases_of(ALICE)[1]
    copies = [forked(store), forked(store)]
    assert copies[0].database(wanted.identity) == wanted
    assert copies[1].databases.layers[0] is copies[0].databases.layers[0]


def test_a_deleted_database_is_gone_from_a_copy_made_later_only(store: Store) -> None:
    chat = store.add_database(ALICE, "chat")
    assert store.database(chat.identity) == chat  # indexed
    before = forked(store)
    store.delete_database(chat)

    assert (store.database("chat"), store.database(chat.identity)) == (None, None)
    assert forked(store).database("chat") is None
    assert before.database("chat") == chat


def test_a_database_is_deleted_from_among_others(store: Store) -> None:
    first, second, third = (store.add_database(ALICE, name) for name in ("one", "two", "three"))
    store.delete_database(second)

    assert store.databases_of(ALICE) == (first, third)


def test_a_deleted_identity_can_be_given_to_a_database_of_another(store: Store) -> None:
    store.delete_database(store.add_database(ALICE, None, GIVEN))

    assert store.database(store.add_database(BOB, "chat", GIVEN).identity) == store.database("chat")


def test_the_name_of_a_deleted_database_is_its_owners(store: Store) -> None:
    store.delete_database(store.add_database(ALICE, "chat"))
    with pytest.raises(ValueError, match=f"'chat' belongs to {ALICE}; names are unique"):
        store.add_database(BOB, "chat")


def test_a_database_that_is_added_again_is_the_same(store: Store) -> None:
    named, given = store.add_database(ALICE, "chat"), store.add_database(ALICE, "shop", GIVEN)
    store.delete_database(named)
    store.delete_database(given)

    assert [store.add_database(ALICE, name) for name in ("chat", "shop")] == [named, given]


def test_other_databases_can_have_a_name_that_was_replaced(store: Store) -> None:
    identities = set()
    for name in ("one", "two", "three"):
        chat = store.add_database(ALICE, "chat")
        identities.add(chat.identity)
        assert store.rename_database(chat, [name]) == ""
        assert store.names_of(chat.identity) == [name]

    assert len(identities) == 3
