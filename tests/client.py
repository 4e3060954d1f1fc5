"""Requests as clients send them, to the routes under test and to the control routes."""

from typing import Any

import requests

from emulator import Emulator
from tests.conftest import API_KEY
from tests.waiting import PATIENCE

KEY = {"x-api-key": API_KEY}
ROW = {"display_name": "JP", "creator": "0x81"}


def create(emulator: Emulator, path: str = "/identity", **headers: str) -> requests.Response:
    """One more row in Intuition."""
    return requests.post(f"{emulator.url}{path}", json=ROW, headers=KEY | headers, timeout=PATIENCE)


def steer(emulator: Emulator, method: str, path: str, body: Any = None) -> requests.Response:
    """A call of a control route."""
    return requests.request(method, f"{emulator.url}/_emulator{path}", json=body, timeout=PATIENCE)
