"""How long tests wait. Nothing here is a measurement: a busy machine makes a test slower, never red."""

from collections.abc import Callable
from time import monotonic, sleep

PATIENCE = 30.0
"""Seconds after which a test gives up on what usually comes at once. Only a test that fails waits for so long."""

A_MOMENT = 0.1
"""Seconds in which a test looks whether something comes that must not. A busy machine makes it look less closely."""


def eventually(true: Callable[[], bool]) -> bool:
    """Whether the condition becomes true within the limit of a test; it is polled with pauses."""
    end = monotonic() + PATIENCE
    while not true():
        if monotonic() > end:
            return False
        sleep(0.002)
    return True
