"""How a real v1.12.0 read numbers in tokens: tests/data/golden_numbers.json."""

import json
import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from emulator import Emulator
from emulator.services.rust import base64url
from tests.conftest import data
from tests.raw import exchange, request

_TIMES = re.compile(r'"iat":\d+,"exp":\d+')


def text_of(body: bytes) -> str:
    """A refusal as it is, the claims of a new token with its times as 0."""
    if not body.startswith(b"{"):
        return body.decode()
    claims = base64url.decode(json.loads(body)["token"].split(".")[1]).decode()
    return _TIMES.sub('"iat":0,"exp":0', claims)


@pytest.mark.parametrize("row", [pytest.param(row, id=row[0]) for row in data("golden_numbers.json")["rows"]])
def test_a_number_is_read_as_by_a_real_v1(v2: Emulator, row: list[Any]) -> None:
    _, token, date, status, text = row
    v2.reset(spacetime_profile="v1")
    v2.clock.freeze(parsedate_to_datetime(date))

    answer = exchange(v2.url, request("POST", "/v1/identity/websocket-token", f"Authorization: Bearer {token}"))

    assert (answer.status, text_of(answer.body)) == (status, text)
