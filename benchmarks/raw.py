"""What ECDSA costs by itself, done as the emulator does it: the floor under every signed or verified token."""

import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_MESSAGE = b"x" * 340  # as long as the signed part of a token
_TIMES = 500


def sign() -> Callable[[], object]:
    """One deterministic signature."""
    key, scheme = ec.derive_private_key(7, ec.SECP256R1()), ec.ECDSA(SHA256(), deterministic_signing=True)
    return lambda: key.sign(_MESSAGE, scheme)


def verify() -> Callable[[], object]:
    """One verification."""
    key, scheme = ec.derive_private_key(7, ec.SECP256R1()), ec.ECDSA(SHA256())
    signature, public = key.sign(_MESSAGE, scheme), key.public_key()
    return lambda: public.verify(signature, _MESSAGE, scheme)


OPERATIONS = {"sign": sign, "verify": verify}


def micros(name: str) -> float:
    """Microseconds of one operation, when nothing else is done."""
    operation = OPERATIONS[name]()
    for _ in range(_TIMES // 10):
        operation()
    begin = time.perf_counter()
    for _ in range(_TIMES):
        operation()
    return (time.perf_counter() - begin) / _TIMES * 1e6
