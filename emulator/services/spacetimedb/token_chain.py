"""What a world says to a token, check by check: for people and pages. Nothing is journaled, and nothing changes."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from emulator.services.rust import base64url
from emulator.services.spacetimedb.model import LOCAL_ISSUER
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.signing_keys import Keyring
from emulator.services.spacetimedb.token_validation import Case, KeysOf, no_foreign_keys

Result = Literal["held", "failed", "not reached"]
FOREIGN = "issuer"
"""What follows the last check of a foreign issuer's token that the server's own key did not accept."""


class Check(msgspec.Struct, frozen=True):
    """One check. `name` is a key of `token_validation.CHECKS`, or `issuer`; `reason` is of one that failed."""

    name: str
    result: Result
    reason: str = ""


class Chain(msgspec.Struct, frozen=True):
    """The verdict at `now`. Times are in seconds, of `now` and `refused_from` in microseconds, by the emulator's clock.

    What could not be read of the token is null. `status` and `text` are what a request with the token is answered, null
    if it is accepted.
    """

    now: int
    accepted: bool
    status: int | None
    text: str | None
    reason: str
    checks: list[Check]
    algorithm: str | None
    identity: str | None
    """Of `iss` and `sub`."""
    hex_identity: str | None
    issuer: str | None
    subject: str | None
    issued_at: int | None
    expires_at: int | None
    refused_from: int | None
    key: Literal["current", "retired", "unknown"] | None
    """Whether this world's key signed it, one before a rotation, or neither; null without a signature."""


def chain(token: str, keyring: Keyring, now: int, rules: Release, keys_of: KeysOf = no_foreign_keys) -> Chain:
    """`now` is in microseconds. Raises nothing but what `keys_of` raises."""
    case = Case(token, rules, keyring.key, now)
    tried = list(_tried(case, rules))
    verdict = _verdict(token, keyring, now, rules, keys_of)
    claims = getattr(case, "claims", None)
    expires_at = claims and claims.expires_at
    return Chain(
        now=now,
        accepted=verdict is None,
        status=verdict.status if verdict else None,
        text=verdict.text_in(rules.error_texts) if verdict else None,
        reason=verdict.reason if verdict else "",
        checks=_with_verdict(tried, verdict),
        algorithm=getattr(case, "algorithm", None),
        identity=claims and claims.identity,
        hex_identity=getattr(case, "claimed", None),
        issuer=claims and claims.issuer,
        subject=claims and claims.subject,
        issued_at=claims and claims.issued_at,
        expires_at=expires_at,
        refused_from=None if expires_at is None else rules.expiry.refused_from(expires_at),
        key=_key(token, keyring),
    )


def _tried(case: Case, rules: Release) -> Iterator[Check]:
    """The checks of the release in its order, until one fails."""
    names = (*rules.checks_without_key, *rules.checks_with_key)
    for place, name in enumerate(names):
        try:
            case.pass_checks([name])
        except TokenRefused as refused:
            yield Check(name, "failed", refused.why)
            if name in rules.checks_with_key and case.claims.issuer != LOCAL_ISSUER:
                yield Check(FOREIGN, "failed")
            yield from (Check(later, "not reached") for later in names[place + 1 :])
            return
        yield Check(name, "held")


def _verdict(token: str, keyring: Keyring, now: int, rules: Release, keys_of: KeysOf) -> TokenRefused | None:
    try:
        keyring.read(token, now, rules, keys_of)
    except TokenRefused as refused:
        return refused
    return None


def _with_verdict(checks: Sequence[Check], verdict: TokenRefused | None) -> list[Check]:
    """The reason that the keyring gives knows of earlier keys."""
    if verdict is None:
        return list(checks)
    return [
        Check(each.name, each.result, verdict.why) if (each.name, each.result) == (verdict.check, "failed") else each
        for each in checks
    ]


def _key(token: str, keyring: Keyring) -> Literal["current", "retired", "unknown"] | None:
    message, _, encoded = token.rpartition(".")
    try:
        signature = base64url.decode(encoded)
    except base64url.Base64Error:
        return None
    if not signature or "." not in message:
        return None
    signed = message.encode("utf-8", "surrogateescape")
    if keyring.key.verifies(signed, signature):
        return "current"
    retired = any(key.verifies(signed, signature) for key, _ in keyring.retired)
    return "retired" if retired else "unknown"
