"""Lists, search and positions through the socket."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from emulator import Emulator
from tests.conftest import API_KEY
from tests.waiting import PATIENCE

KEY = {"x-api-key": API_KEY}
NAMES = ["Contains", "Andrew", "andromeda", "Zoë", "100%"]


def get(emulator: Emulator, path: str, **query: Any) -> requests.Response:
    return requests.get(f"{emulator.url}{path}", params=query, headers=KEY, timeout=PATIENCE)


def names(emulator: Emulator, path: str = "/identities", **query: Any) -> list[str]:
    answer = get(emulator, path, **query)
    assert answer.status_code == 200, answer.text
    return [row["display_name"] for row in answer.json()["data"]]


@pytest.fixture
def filled(emulator: Emulator) -> Emulator:
    """Five rows, a second apart, of two creators."""
    for number, name in enumerate(NAMES):
        emulator.intuition.create_identity(display_name=name, creator=f"0x{number % 2}")
        emulator.clock.advance(timedelta(seconds=1))
    return emulator


def test_a_list_is_an_envelope_in_the_pages_order(filled: Emulator) -> None:
    found = get(filled, "/identities").json()

    assert list(found) == ["page", "limit", "total", "data"]
    assert (found["page"], found["limit"], found["total"]) == (1, 100, 5)


def test_the_newest_comes_first(filled: Emulator) -> None:
    assert names(filled) == NAMES[::-1]


@pytest.mark.parametrize(
    ("query", "expected", "page", "limit"),
    [
        ({"limit": 2}, ["100%", "Zoë"], 1, 2),
        ({"limit": 2, "page": 2}, ["andromeda", "Andrew"], 2, 2),
        ({"limit": 2, "page": 9}, [], 9, 2),
        ({"limit": 2, "offset": 1}, ["Zoë", "andromeda"], 1, 2),
        ({"limit": 2, "offset": 1, "page": 2}, ["Zoë", "andromeda"], 2, 2),
        ({"limit": 0}, [], 1, 0),
        ({"limit": "abc"}, ["100%"], 1, 1),
        ({"limit": 1, "page": "abc"}, ["100%"], 1, 1),
        ({"limit": 1, "page": 0}, ["100%"], 0, 1),
        ({"limit": 1, "page": -1}, ["andromeda"], -1, 1),
        ({"limit": -3}, [], 1, -3),
        ({"limit": 10**30}, ["100%"], 1, 1),
        ({"paging[page]": 3, "paging[limit]": 1}, NAMES[::-1], 1, 100),
    ],
)
def test_pages_are_cut_and_counted(
    filled: Emulator, query: dict[str, Any], expected: list[str], page: int, limit: int
) -> None:
    found = get(filled, "/identities", **query).json()

    assert [row["display_name"] for row in found["data"]] == expected
    assert (found["page"], found["limit"], found["total"]) == (page, limit, 5)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sortBy": "display_name", "direction": "asc"}, ["100%", "Andrew", "Contains", "Zoë", "andromeda"]),
        ({"sortBy": "DisplayName", "direction": "desc"}, ["andromeda", "Zoë", "Contains", "Andrew", "100%"]),
        ({"sortBy": "display_name"}, ["andromeda", "Zoë", "Contains", "Andrew", "100%"]),
        ({"sortBy": "created_at", "direction": "asc"}, NAMES),
        ({"sortBy": "status", "direction": "asc"}, NAMES),
        ({"sortBy": "nonsense", "direction": "asc"}, NAMES[::-1]),
        ({"sortBy": "display_name", "direction": "ascending"}, NAMES[::-1]),
        ({"direction": "asc"}, NAMES),
    ],
)
def test_rows_are_sorted_in_both_spellings(filled: Emulator, query: dict[str, str], expected: list[str]) -> None:
    assert names(filled, **query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"displayName": "andr"}, ["andromeda", "Andrew"]),
        ({"displayName": "ZOË"}, ["Zoë"]),
        ({"displayName": "0%"}, ["100%"]),
        ({"displayName": ""}, NAMES[::-1]),
        ({"creator": "0x1"}, ["Zoë", "Andrew"]),
        ({"creator": "0x1", "displayName": "w"}, ["Andrew"]),
        ({"status": "complete"}, NAMES[::-1]),
        ({"status": "pending"}, []),
    ],
)
@pytest.mark.parametrize("path", ["/identities", "/identities/search", "/identity/search"])
def test_filters_work_on_every_list(filled: Emulator, path: str, query: dict[str, str], expected: list[str]) -> None:
    assert names(filled, path, **query) == expected
    assert get(filled, path, **query).json()["total"] == len(expected)


def test_an_unknown_status_is_400(emulator: Emulator) -> None:
    assert get(emulator, "/identities", status="foo").json() == {
        "code": 400,
        "error": "Failed to deserialize query string: unknown variant `foo`, expected one of "
        "`pending`, `complete`, `removed`, `error`",
    }


@pytest.mark.parametrize("path", ["/identities", "/identity/search", "/identity/1/positions"])
def test_lists_want_a_key(emulator: Emulator, path: str) -> None:
    assert requests.get(f"{emulator.url}{path}", timeout=PATIENCE).status_code == 401


def test_later_rows_are_sorted_in(filled: Emulator) -> None:
    names(filled, sortBy="display_name")
    filled.intuition.create_identity(display_name="Beta", creator="0x0")

    assert names(filled, sortBy="display_name", direction="asc")[1:4] == ["Andrew", "Beta", "Contains"]


def test_rows_that_change_are_moved(filled: Emulator) -> None:
    assert names(filled, sortBy="assets_sum", direction="asc") == NAMES
    filled.intuition.add_position("1", "0x9", 10**18)
    filled.intuition.add_position("2", "0x9", 9)

    assert names(filled, sortBy="AssetsSum", limit=2) == ["Contains", "Andrew"]


# --- positions --------------------------------------------------------------------------------------------------------


def test_an_identity_without_positions_has_an_empty_page(filled: Emulator) -> None:
    assert get(filled, "/identity/1/positions").json() == {"page": 1, "limit": 100, "total": 0, "data": []}


def test_positions_of_an_identity_that_is_not_there_are_404(emulator: Emulator) -> None:
    assert get(emulator, "/identity/1/positions").json() == {"code": 404, "error": "Record not found"}


def test_a_position_has_the_pages_keys_and_the_row_its_sums(filled: Emulator) -> None:
    filled.intuition.add_position("1", "0x9", 10**15)

    [position] = get(filled, "/identity/1/positions").json()["data"]
    row = get(filled, "/identity/1").json()

    assert list(position) == [
        "id",
        "user",
        "direction",
        "vault_id",
        "amount_staked",
        "conviction",
        "assets",
        "fee",
        "delta_assets",
        "total",
    ]
    assert (position["user"], position["direction"], position["amount_staked"]) == (
        {"wallet": "0x9"},
        "for",
        str(10**15),
    )
    assert (row["num_positions"], row["assets_sum"]) == (1, str(10**15))


def test_positions_are_paged(filled: Emulator) -> None:
    for amount in (1, 2, 3):
        filled.intuition.add_position("1", "0x9", amount)

    found = get(filled, "/identities/1/positions", limit=2, page=2).json()

    assert (found["total"], [each["amount_staked"] for each in found["data"]]) == (3, ["3"])


@pytest.mark.parametrize("amount", [0, -1, 1.5, "1e18"])
def test_a_stake_is_a_positive_number(filled: Emulator, amount: Any) -> None:
    with pytest.raises(ValueError, match=r"amount: expected a (positive )?whole number"):
        filled.intuition.add_position("1", "0x9", amount)
