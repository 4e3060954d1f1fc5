"""The tokens in recorded requests, and the same ones signed with the target's key."""

from typing import NamedTuple


class Keys(NamedTuple):
    """The key pair of the target, as PEM."""

    private: bytes
    public: bytes
