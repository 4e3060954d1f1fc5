"""API keys, and the reasons for 401."""

from collections.abc import Callable

import msgspec

from emulator.services.intuition.refusals import KeyInvalid, KeyMissing, Unauthorized

DEFAULT_KEY = "00000000-0000-4000-8000-000000000001"
DEFAULT_WALLET = "0x0000000000000000000000000000000000000001"


class ApiKey(msgspec.Struct, frozen=True):
    """A key and the wallet it was issued to."""

    key: str
    wallet: str
    revoked: bool = False


ValidKey = Callable[[str], ApiKey | None]
"""Returns the valid key with this text, if any."""


def authenticate(
    key: str | None, authorization: str | None, known: ValidKey, is_earlier: Callable[[str], bool] = lambda key: False
) -> ApiKey:
    """The API key of a request. With both headers only `x-api-key` counts (invented). Raises Unauthorized.

    `is_earlier` is for the reason: whether a key was issued before the last reset.
    """
    if key is None:
        raise KeyMissing if authorization is None else _authorization_refused(authorization)
    found = known(key)
    if found is None:
        if is_earlier(key):
            raise KeyInvalid("`x-api-key` was issued before the last reset; put it into the config's scenario")
        raise KeyInvalid(_why_invalid(key, known))
    return found


def _authorization_refused(authorization: str) -> Unauthorized:
    why = "the emulator knows no bearer tokens for Intuition; send `x-api-key`"
    if not (authorization.isascii() and authorization.replace("\t", " ").isprintable()):
        return Unauthorized("`Authorization` header contains invalid characters", f"it is not plain ASCII; {why}")
    if not authorization.startswith("Bearer "):
        return Unauthorized("`Authorization` header must be a bearer token", f"it does not start with `Bearer `; {why}")
    return Unauthorized("Bearer token invalid or expired", why)


_PLACEHOLDERS = frozenset({"undefined", "null", "none", "nil", "<api_key>", "<api_key_here>", "your_api_key"})


def _why_invalid(key: str, known: ValidKey) -> str:
    bare = key.strip().strip("\"'").removesuffix("\\n").removesuffix("\\r")
    if not key:
        return "`x-api-key` is empty; is the variable it comes from set?"
    if key.lower() in _PLACEHOLDERS:
        return f"`x-api-key` is the text {key!r}: a variable that was not replaced"
    if beginning := next(filter(key.startswith, ("$", "{{")), None):
        return f"`x-api-key` begins with `{beginning}`: a variable that was not replaced"
    if key.endswith(("\\n", "\\r", "%0A", "%0a", "\n")):
        return "`x-api-key` ends in a newline"
    if bare != key and known(bare):
        return "`x-api-key` is a valid key inside quotes or spaces"
    if known(key.lower()):
        return "`x-api-key` is a valid key in upper case; keys are lower case"
    default = f"; {DEFAULT_KEY} is valid" if known(DEFAULT_KEY) else ""
    return f"`x-api-key` was never issued here, or was revoked{default}"
