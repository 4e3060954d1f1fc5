"""Processes of the command end by signals, wherever the tests run."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _signals_reach_processes() -> Iterator[None]:
    """`nohup`, and a shell's `&`, have signals ignored, which processes inherit; a handler they do not."""
    numbers = {signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)}
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
