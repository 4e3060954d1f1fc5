"""Intuition's API through the socket, in the profile `documented`."""

import json
from typing import Any

import pytest
import requests

from emulator import Emulator
from tests.conftest import API_KEY
from tests.raw import connect, exchange, read_answer, request
from tests.waiting import PATIENCE

SAMPLE = {
    "display_name": "JP",
    "creator": "0x...81",
    "description": "It is JP.",
    "image": "https://my-image.com/me.jpg",
    "external_reference": "https://github.com",
}
WRONG_TYPE = "Failed to deserialize the JSON body into the target type"
KEY = {"x-api-key": API_KEY}
JSON = {**KEY, "Content-Type": "application/json"}


def create(emulator: Emulator, body: Any = None, path: str = "/identity") -> requests.Response:
    return requests.post(f"{emulator.url}{path}", json=body or SAMPLE, headers=KEY, timeout=PATIENCE)


def post(emulator: Emulator, body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
    return requests.post(
        f"{emulator.url}/identity", data=body, headers=JSON if headers is None else headers, timeout=PATIENCE
    )


# --- the pages' examples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/identity", "/identities"])
def test_the_sample_as_valid_json_is_200_by_either_name(emulator: Emulator, path: str) -> None:
    answer = create(emulator, path=path)

    assert answer.status_code == 200
    assert answer.json()["display_name"] == "JP"


def test_the_sample_sent_without_stringify_is_400(emulator: Emulator) -> None:
    answer = post(emulator, b"[object Object]")

    assert (answer.status_code, answer.json()) == (
        400,
        {"code": 400, "error": "Failed to parse the request body as JSON: [0]: expected value at line 1 column 2"},
    )
    assert "JSON.stringify" in emulator.journal.exchanges[-1].why


def test_the_sample_with_its_trailing_comma_is_400(emulator: Emulator) -> None:
    text = json.dumps(SAMPLE, indent=2).replace("\n}", ",\n}")

    answer = post(emulator, text.encode())

    assert answer.json()["error"] == "Failed to parse the request body as JSON: trailing comma at line 7 column 1"


# --- the row ----------------------------------------------------------------------------------------------------------


def test_the_keys_come_in_the_pages_order(emulator: Emulator) -> None:
    assert list(create(emulator).json()) == [
        "id",
        "identity_id",
        "identity_hash",
        "display_name",
        "description",
        "image",
        "external_reference",
        "creator",
        "status",
        "created_at",
        "num_positions",
        "updated_at",
        "vault_id",
        "assets_sum",
        "conviction_sum",
        "conviction_price",
    ]


def test_the_creator_has_seven_keys_and_a_blank_api_key(emulator: Emulator) -> None:
    creator = create(emulator).json()["creator"]

    assert list(creator) == ["id", "created_at", "updated_at", "last_login", "api_key", "wallet", "role"]
    assert (creator["api_key"], creator["wallet"], creator["role"]) == ("", "0x...81", "User")


@pytest.mark.parametrize("nothing", [{}, {"description": None, "image": None, "external_reference": None}])
def test_what_was_not_given_is_absent_not_null(emulator: Emulator, nothing: dict[str, None]) -> None:
    found = create(emulator, {"display_name": "JP", "creator": "0x81", **nothing}).json()

    assert len(found) == 13
    assert not {"description", "image", "external_reference"} & set(found)


def test_an_empty_description_is_kept(emulator: Emulator) -> None:
    assert create(emulator, {"display_name": "JP", "creator": "0x81", "description": ""}).json()["description"] == ""


def test_image_url_is_answered_as_image_and_wins(emulator: Emulator) -> None:
    body = {"display_name": "JP", "creator": "0x81", "image": "a", "image_url": "b"}

    assert create(emulator, body).json()["image"] == "b"


def test_big_numbers_are_strings_and_times_have_six_digits(emulator: Emulator) -> None:
    found = create(emulator).json()

    assert [found[key] for key in ("vault_id", "assets_sum", "conviction_sum", "conviction_price")] == ["1", *"000"]
    assert found["num_positions"] == 0
    assert len(found["created_at"]) == len("2024-02-15T05:47:17.289011Z")
    assert found["created_at"] == found["updated_at"]


def test_text_beyond_ascii_is_sent_raw(emulator: Emulator) -> None:
    answer = create(emulator, {"display_name": "Zoë", "creator": "0x81"})

    assert '"display_name":"Zoë"'.encode() in answer.content


def test_the_head_is_bare(emulator: Emulator) -> None:
    body = json.dumps(SAMPLE).encode()
    answer = exchange(
        emulator.url, request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", body=body)
    )

    assert answer.names == ["content-type", "content-length", "date"]
    assert answer.header("content-type") == "application/json"


# --- found again ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/identity", "/identities"])
@pytest.mark.parametrize("name", ["id", "identity_id", "vault_id"])
def test_what_was_created_is_found_by_each_name(emulator: Emulator, path: str, name: str) -> None:
    made = create(emulator).json()

    answer = requests.get(f"{emulator.url}{path}/{made[name]}", headers=KEY, timeout=PATIENCE)

    assert (answer.status_code, answer.json()) == (200, made)


def test_the_colons_of_a_did_may_be_escaped(emulator: Emulator) -> None:
    made = create(emulator).json()
    target = f"/identity/{made['identity_id'].replace(':', '%3A')}"

    assert exchange(emulator.url, request("GET", target, f"x-api-key: {API_KEY}")).status == 200


def test_what_was_never_created_is_404(emulator: Emulator) -> None:
    answer = requests.get(f"{emulator.url}/identity/did:intuition:ipfs:Qm", headers=KEY, timeout=PATIENCE)

    assert (answer.status_code, answer.content) == (404, b'{"code":404,"error":"Record not found"}')


def test_escapes_that_are_no_utf8_are_400(emulator: Emulator) -> None:
    answer = exchange(emulator.url, request("GET", "/identity/%ff", f"x-api-key: {API_KEY}"))

    assert answer.body == b'{"code":400,"error":"Invalid URL: Invalid UTF-8 in `id`"}'


# --- refused ----------------------------------------------------------------------------------------------------------


def test_without_a_key_it_is_401_in_the_pages_words(emulator: Emulator) -> None:
    answer = post(emulator, b"{}", {})

    assert answer.content == b'{"code":401,"error":"`Authorization` header  or Api Key is missing"}'
    assert len(answer.content) == 68


def test_with_a_wrong_key_it_is_401_in_the_pages_words(emulator: Emulator) -> None:
    answer = post(emulator, b"{}", {"x-api-key": "nonsense"})

    assert (answer.status_code, answer.content) == (401, b'{"code":401,"error":"`x-api-key` is invalid"}')


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "Failed to parse the request body as JSON: EOF while parsing a value at line 1 column 0"),
        (
            b'{"display_name":"JP","creator":"0x81",}',
            "Failed to parse the request body as JSON: trailing comma at line 1 column 39",
        ),
        (b"{'a':1}", "Failed to parse the request body as JSON: key must be a string at line 1 column 2"),
        (b"\xef\xbb\xbf{}", "Failed to parse the request body as JSON: expected value at line 1 column 1"),
        (
            b'{"creator":"0x8',
            "Failed to parse the request body as JSON: creator: EOF while parsing a string at line 1 column 15",
        ),
        (
            b'{"display_name"',
            "Failed to parse the request body as JSON: EOF while parsing an object at line 1 column 15",
        ),
        (b"{}", f"{WRONG_TYPE}: missing field `creator` at line 1 column 2"),
        (b'{"creator":"0x81"}', f"{WRONG_TYPE}: missing field `display_name` at line 1 column 18"),
        (
            b'{"creator":"0x81","display_name":5}',
            f"{WRONG_TYPE}: display_name: invalid type: integer `5`, expected a string at line 1 column 34",
        ),
        (
            b'{"display_name":"a","creator":"b","display_name":"c"}',
            f"{WRONG_TYPE}: duplicate field `display_name` at line 1 column 48",
        ),
    ],
    ids=lambda value: value.decode("latin-1")[:40] if isinstance(value, bytes) else "",
)
def test_a_bad_body_is_400_in_the_envelope(emulator: Emulator, body: bytes, error: str) -> None:
    answer = post(emulator, body)

    assert (answer.status_code, answer.json()) == (400, {"code": 400, "error": error})


@pytest.mark.parametrize(
    "body",
    [
        b'{"display_name":"JP","creator":"0x81"} and more',
        b'{"display_name":"JP","creator":"0x81","unknown":{"deep":[1]}}',
        b'{"display_name":"","creator":""}',
        b'["0x81","JP",null,null,null,null]',
    ],
)
def test_these_bodies_are_taken(emulator: Emulator, body: bytes) -> None:
    assert post(emulator, body).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
def test_json_may_be_called_by_these_names(emulator: Emulator, content_type: str) -> None:
    answer = post(emulator, json.dumps(SAMPLE).encode(), {**KEY, "Content-Type": content_type})

    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["text/json", "text/plain;charset=UTF-8", "json"])
def test_another_content_type_is_415_in_the_envelope(emulator: Emulator, content_type: str) -> None:
    answer = post(emulator, json.dumps(SAMPLE).encode(), {**KEY, "Content-Type": content_type})

    assert (answer.status_code, answer.json()) == (
        415,
        {"code": 415, "error": "Expected request with `Content-Type: application/json`"},
    )


def test_a_body_beyond_2_mib_is_413_in_the_envelope(emulator: Emulator) -> None:
    answer = post(emulator, b" " * (2 * 1024 * 1024 + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, 413)


def test_a_chunked_body_beyond_2_mib_is_413_too(emulator: Emulator) -> None:
    answer = requests.post(f"{emulator.url}/identity", data=iter([b" " * 700_000] * 4), headers=JSON, timeout=PATIENCE)

    assert answer.status_code == 413


def test_a_body_of_2_mib_is_read(emulator: Emulator) -> None:
    body = json.dumps(SAMPLE).encode()

    assert post(emulator, body + b" " * (2 * 1024 * 1024 - len(body))).status_code == 200


def test_a_broken_chunk_is_400(emulator: Emulator) -> None:
    head = request(
        "POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", "Transfer-Encoding: chunked"
    )

    assert exchange(emulator.url, head + b"zz\r\n").status == 400


def test_the_checks_come_in_order(emulator: Emulator) -> None:
    url = f"{emulator.url}/identity"

    assert requests.put(url, timeout=PATIENCE).status_code == 405
    assert requests.post(url, data=b"x", timeout=PATIENCE).status_code == 401
    assert requests.post(url, data=b"x", headers=KEY, timeout=PATIENCE).status_code == 415
    assert requests.post(url, data=b"x", headers=JSON, timeout=PATIENCE).status_code == 400


def test_405_and_options_list_allowed_methods_without_cors(emulator: Emulator) -> None:
    for method in ("PUT", "OPTIONS"):
        answer = exchange(emulator.url, request(method, "/identity/1"))
        assert (answer.status, answer.names) == (405, ["allow", "content-length", "date"])
        assert answer.header("allow") == "GET,HEAD"


def test_a_trailing_slash_is_404(emulator: Emulator) -> None:
    assert exchange(emulator.url, request("POST", "/identity/")).status == 404


def test_100_continue_is_sent_before_the_body_is_read(emulator: Emulator) -> None:
    body = json.dumps(SAMPLE).encode()
    head = request(
        "POST",
        "/identity",
        f"x-api-key: {API_KEY}",
        "Content-Type: application/json",
        "Expect: 100-continue",
        f"Content-Length: {len(body)}",
    )
    with connect(emulator.url) as connection:
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_answer(connection).status == 200


def test_a_refused_request_gets_no_100_continue(emulator: Emulator) -> None:
    head = request("POST", "/identity", "Expect: 100-continue", "Content-Length: 9")

    assert exchange(emulator.url, head).status == 401
