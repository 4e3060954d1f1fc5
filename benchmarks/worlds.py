"""Worlds that hold many Intuition identities, and requests for them."""

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.load import request
from benchmarks.servers import Server
from emulator import Emulator

API_KEY = {"x-api-key": "00000000-0000-4000-8000-000000000001"}
_ASKED = 5_000


def crowd(rows: int) -> dict[str, Any]:
    """A scenario that begins with so many."""
    api_keys = {"ci": {"key": API_KEY["x-api-key"]}}
    return {"version": 1, "intuition": {"api_keys": api_keys, "crowd": {"count": rows, "creator": {"actor": "ci"}}}}


def fill(emulator: Emulator, numbers: range) -> None:
    """Identities as a test's author would make them, of a hundred creators."""
    for number in numbers:
        emulator.intuition.create_identity(
            display_name=f"Identity {number}", creator=f"0x{number % 100:040x}", description=f"It is {number}."
        )


def page(limit: int, number: int = 1) -> bytes:
    return request("GET", f"/identities?limit={limit}&page={number}", API_KEY)


def identities(server: Server, rows: int) -> Sequence[bytes]:
    """Requests for identities from all over a world, no two the same: aiohttp and the client cache recent URLs."""
    pages = range(1, rows // 100 + 1)
    answers = [server.ask(page(100, number)).body for number in pages[:: max(rows // _ASKED, 1)]]
    ids = [row["id"] for answer in answers for row in json.loads(answer)["data"]]
    return [request("GET", f"/identity/{ids[n % len(ids)]}?{n}", API_KEY) for n in range(_ASKED)]
