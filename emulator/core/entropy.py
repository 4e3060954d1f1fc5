"""The only source of chance. Everything the emulator makes up comes from an `Entropy` that belongs to one world."""

import threading
import time
from hashlib import blake2b


class Entropy:
    """Chance from a seed: the nth draw for a purpose is a hash, so that one purpose never disturbs another."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._lock = threading.Lock()
        self._drawn: dict[str, int] = {}

    def fork(self) -> "Entropy":
        """Another one that makes the same draws from here on."""
        copy = Entropy(self.seed)
        with self._lock:
            copy._drawn = dict(self._drawn)
        return copy

    @property
    def drawn(self) -> dict[str, int]:
        """How often was drawn for each purpose."""
        with self._lock:
            return dict(self._drawn)

    @drawn.setter
    def drawn(self, drawn: dict[str, int]) -> None:
        self._drawn = dict(drawn)

    def draw(self, purpose: str) -> bytes:
        """64 bytes that nobody else has."""
        with self._lock:
            count = self._drawn.get(purpose, 0)
            self._drawn[purpose] = count + 1
        return blake2b(f"{self.seed}/{purpose}/{count}".encode()).digest()

    def named(self, purpose: str, name: str) -> bytes:
        """64 bytes that belong to a name, however often and in whatever order they are asked for."""
        return blake2b(f"{self.seed}/{purpose}//{name}".encode()).digest()

    def fraction(self, purpose: str) -> float:
        """From 0 up to, but not, 1."""
        return int.from_bytes(self.draw(purpose)[:6]) / (1 << 48)

    def uuid4(self, purpose: str) -> str:
        """A random UUID."""
        return uuid4_of(self.draw(purpose))


def uuid4_of(chance: bytes) -> str:
    """The UUID of 16 random bytes, in lower case with hyphens (RFC 9562, version 4)."""
    digits = chance[:16].hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def unseeded() -> int:
    """A seed nobody chose, short enough to be typed again."""
    return time.time_ns() // 1000 % 1_000_000_000
