"""The only source of randomness: every generated value comes from the `Entropy` of one world."""

import threading
import time
from collections.abc import Mapping
from hashlib import blake2b


class Entropy:
    """Values from a seed: the nth draw for a purpose is a hash, so draws for one purpose never change another's."""

    def __init__(self, seed: int, drawn: Mapping[str, int] | None = None) -> None:
        self.seed = seed
        self._lock = threading.Lock()
        self._drawn = dict(drawn or {})

    def fork(self) -> "Entropy":
        """A copy that makes the same draws from here on."""
        return Entropy(self.seed, self.drawn)

    @property
    def drawn(self) -> dict[str, int]:
        """The number of draws for each purpose."""
        with self._lock:
            return dict(self._drawn)

    def draw(self, purpose: str) -> bytes:
        """The next 64 bytes for a purpose."""
        with self._lock:
            count = self._drawn.get(purpose, 0)
            self._drawn[purpose] = count + 1
        return blake2b(f"{self.seed}/{purpose}/{count}".encode()).digest()

    def named(self, purpose: str, name: str) -> bytes:
        """64 bytes for a name: the same at each call, in whatever order names are asked for."""
        return blake2b(f"{self.seed}/{purpose}//{name}".encode()).digest()

    def fraction(self, purpose: str) -> float:
        """A number from 0 to 1, 1 excluded."""
        return int.from_bytes(self.draw(purpose)[:6]) / (1 << 48)

    def uuid4(self, purpose: str) -> str:
        return uuid4_of(self.draw(purpose))


def uuid4_of(random: bytes) -> str:
    """The UUID of 16 random bytes, in lower case with hyphens (RFC 9562, version 4)."""
    digits = random[:16].hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def unseeded() -> int:
    """A seed from the time of day, short enough to be typed again."""
    return time.time_ns() // 1000 % 1_000_000_000


def unguessable() -> str:
    """A secret of 32 characters for a header. No world's seed has a part in it."""
    import secrets

    return secrets.token_urlsafe(24)
