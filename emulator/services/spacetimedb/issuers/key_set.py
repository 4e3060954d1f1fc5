"""The keys that a server has of a foreign issuer, and which of them it tries."""

from typing import NamedTuple, Protocol


class Verifier(Protocol):
    """A key that verifies signatures of one algorithm, or of none."""

    family: str
    """`EC`, `RSA`, `oct` or `OKP`, as in the member `kty` of a JWK."""

    @property
    def is_usable(self) -> bool:
        """False for numbers that the server's JWT library can't make a key of."""

    def verifies(self, message: bytes, signature: bytes) -> bool: ...


class NamedKey(NamedTuple):
    """A key and its id, None without one."""

    kid: str | None
    key: Verifier


class KeySet(NamedTuple):
    """The keys that a server has of an issuer, in the order of the document."""

    keys: tuple[NamedKey, ...]

    def candidates(self, kid: str | None) -> tuple[NamedKey, ...]:
        """The keys to try for a token: the first with its `kid`, else all without one; all when it has no `kid`."""
        if kid is None:
            return self.keys
        named = next((each for each in self.keys if each.kid == kid), None)
        return (named,) if named is not None else tuple(each for each in self.keys if each.kid is None)


class NoKeys(NamedTuple):
    """That the server has no keys of an issuer, and why."""

    why: str
