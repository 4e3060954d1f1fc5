"""Intuition's lifecycle, set over the control routes."""

from typing import Any

import pytest

from emulator import Emulator
from tests.client import create, steer


def test_the_lifecycle_is_set_over_http(emulator: Emulator) -> None:
    assert steer(emulator, "POST", "/intuition/lifecycle", {"pending": True}).status_code == 200
    row = create(emulator).json()

    moved = steer(emulator, "POST", "/intuition/status", {"identity": row["id"], "status": "removed"}).json()

    assert (row["status"], moved["status"]) == ("pending", "removed")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/intuition/status", {"identity": "x", "status": "complete"}, 404),
        ("/intuition/status", {"identity": "x", "status": "done"}, 400),
        ("/intuition/status", {"identity": "x"}, 400),
        ("/intuition/lifecycle", {"pending": "yes"}, 400),
        ("/intuition/lifecycle", {"pending": True, "complete_after": -1}, 400),
        ("/intuition/lifecycle", {}, 400),
    ],
)
def test_a_wrong_move_is_refused(emulator: Emulator, path: str, body: dict[str, Any], status: int) -> None:
    assert steer(emulator, "POST", path, body).status_code == status
