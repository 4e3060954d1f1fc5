"""What is remembered of what clients send is bounded in bytes, not in number only."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

from emulator.core.entropy import Entropy
from emulator.http.response import head_lines, head_start
from emulator.services.spacetimedb.model import Claims, identity_of
from emulator.services.spacetimedb.releases import DEFAULT, PROFILES
from emulator.services.spacetimedb.signing_keys import Keyring, SigningKey

MEGABYTE = 1024 * 1024


def kept(times: int, use: Callable[[int], object]) -> float:
    """Megabytes that are kept after so many uses."""
    use(0)
    gc.collect()
    tracemalloc.start()
    for number in range(1, times + 1):
        use(number)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / MEGABYTE


def test_long_header_lines_are_not_remembered() -> None:
    def use(number: int) -> None:
        headers = b"x: %d%b\r\n" % (number, b"x" * 20_000)
        head_start(1, 200, "", headers)
        head_start(1, 200, headers.decode(), b"")
        head_lines("", headers)

    assert kept(500, use) < 2


def test_long_tokens_are_not_remembered() -> None:
    ring = Keyring(SigningKey.from_entropy(Entropy(7).draw("x")))
    tokens = [ring.key.mint(claims(number, extra=200)) for number in range(201)]

    assert kept(200, lambda number: ring.read(tokens[number], 1, PROFILES[DEFAULT])) < 1


def test_of_short_tokens_a_limited_number_is_remembered() -> None:
    ring = Keyring(SigningKey.from_entropy(Entropy(7).draw("x")))

    assert kept(3000, lambda number: ring.read(ring.key.mint(claims(number, extra=10)), 1, PROFILES[DEFAULT])) < 32


def claims(number: int, *, extra: int) -> Claims:
    subject = f"somebody {number}"
    more: dict[str, Any] = {f"c{each}": [[]] for each in range(extra)}
    return Claims(identity_of("localhost", subject), subject, "localhost", (), 1, None, more)
