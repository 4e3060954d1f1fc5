"""Two processes of one seed, or of one key: what they have in common, and what each has to itself (docs/scaling.md)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.cli.command import serving
from tests.conftest import API_KEY, write_key_pair
from tests.limits import LIMIT

Urls = tuple[str, str]


@pytest.fixture(scope="module")
def running() -> Iterator[Urls]:
    """Two processes of seed 7."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(serving("--port", "0", "--seed", "7"))[1]["url"] for _ in range(2))
        yield first, second


@pytest.fixture
def urls(running: Urls) -> Urls:
    for url in running:
        requests.post(f"{url}/_emulator/reset", timeout=LIMIT)
    return running


def new_identity(url: str) -> tuple[str, str]:
    made = requests.post(f"{url}/v1/identity", timeout=LIMIT).json()
    return made["identity"], made["token"]


def verified(url: str, identity: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{url}/v1/identity/{identity}/verify", headers=headers, timeout=LIMIT).status_code


def short_token(url: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    made = requests.post(f"{url}/v1/identity/websocket-token", headers=headers, timeout=LIMIT).json()
    return str(made["token"])


def test_a_token_of_one_is_good_in_the_other(urls: Urls) -> None:
    identity, token = new_identity(urls[0])

    assert verified(urls[1], identity, token) == 204


def test_a_token_of_one_is_traded_in_the_other_for_one_that_is_good_in_both(urls: Urls) -> None:
    identity, token = new_identity(urls[0])
    short = short_token(urls[1], token)

    assert [verified(url, identity, short) for url in urls] == [204, 204]


def test_both_draw_the_same_identities_in_the_same_order(urls: Urls) -> None:
    assert new_identity(urls[0])[0] == new_identity(urls[1])[0]


def test_a_row_of_one_is_not_in_the_other(urls: Urls) -> None:
    draft = {"display_name": "JP", "creator": "0x81"}
    row = requests.post(f"{urls[0]}/identity", json=draft, headers={"x-api-key": API_KEY}, timeout=LIMIT).json()

    found = [requests.get(f"{url}/identity/{row['id']}", headers={"x-api-key": API_KEY}, timeout=LIMIT) for url in urls]

    assert [answer.status_code for answer in found] == [200, 404]


def test_the_clock_of_one_is_not_that_of_the_other(urls: Urls) -> None:
    identity, token = new_identity(urls[0])
    short = short_token(urls[0], token)

    requests.post(f"{urls[0]}/_emulator/clock", json={"advance": 122}, timeout=LIMIT)

    assert [verified(url, identity, short) for url in urls] == [401, 204]


def test_a_key_that_one_has_rotated_is_still_that_of_the_other(urls: Urls) -> None:
    identity, token = new_identity(urls[0])

    requests.post(f"{urls[0]}/_emulator/spacetime/rotate-key", timeout=LIMIT)

    assert [verified(url, identity, token) for url in urls] == [401, 204]


def test_a_fault_of_one_does_not_meet_the_other(urls: Urls) -> None:
    fault = {"request": "GET /v1/ping", "do": {"status": 503}}
    requests.post(f"{urls[0]}/_emulator/faults", json=fault, timeout=LIMIT)

    assert [requests.get(f"{url}/v1/ping", timeout=LIMIT).status_code for url in urls] == [503, 200]


def test_with_one_key_and_two_seeds_identities_differ_and_tokens_are_good_in_both(tmp_path: Path) -> None:
    private, public = write_key_pair(tmp_path, 7)
    key = ("--jwt-priv-key-path", str(private), "--jwt-pub-key-path", str(public))
    with (
        serving("--port", "0", "--seed", "1", *key) as (_, one),
        serving("--port", "0", "--seed", "2", *key) as (_, two),
    ):
        made = new_identity(one["url"]), new_identity(two["url"])

        assert made[0][0] != made[1][0]
        assert verified(two["url"], *made[0]) == 204
        assert verified(one["url"], *made[1]) == 204
