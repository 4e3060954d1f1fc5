"""What a server says to a token, check by check: for people and pages. Nothing is journaled, and nothing changes."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from emulator.services.rust import base64url
from emulator.services.spacetimedb.issuers.key_set import KeySet, NoKeys
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.signing_keys import Keyring
from emulator.services.spacetimedb.token_validation import Case, KeysOf, no_foreign_keys

Result = Literal["held", "failed", "not reached"]
FOREIGN, KID = "issuer", "kid"
"""Of a foreign issuer's token that the server's own key did not accept: whether there are keys of the issuer, and one
that has the token's `kid`."""


class Check(msgspec.Struct, frozen=True):
    """One check. `name` is a key of `token_validation.CHECKS`, `issuer` or `kid`; `reason` is of one that failed."""

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
    signed_by: str | None
    """The key that signed it, in words; null if it is not known."""
    header: str | None
    payload: str | None
    """Both decoded, as they are."""


def chain(token: str, keyring: Keyring, now: int, rules: Release, keys_of: KeysOf = no_foreign_keys) -> Chain:
    """By the rules of any release; `now` is in microseconds. Raises nothing but what `keys_of` raises."""
    asked: dict[str, KeySet | NoKeys] = {}

    def remembered(issuer: str) -> KeySet | NoKeys:
        asked[issuer] = keys_of(issuer)
        return asked[issuer]

    verdict = _verdict(token, keyring, now, rules, remembered)
    case = Case(token, rules, keyring.key, now)
    foreign = next(iter(asked.values()), None)
    tried = list(_tried(case, rules, foreign))
    claims = getattr(case, "claims", None)
    expires_at = claims and claims.expires_at
    signed = _Signed.of(token)
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
        key=None if signed is None else signed.key(keyring),
        signed_by=None if signed is None else signed.by(keyring, now, asked, getattr(case, "kid", None)),
        header=_decoded(token, 0),
        payload=_decoded(token, 1),
    )


def _tried(case: Case, rules: Release, foreign: KeySet | NoKeys | None) -> Iterator[Check]:
    """The checks of the release in its order, until one fails; `foreign` is what the server asked its issuers for.

    Where they had keys, theirs are the checks that count: the server's own key came first, and did not accept it.
    """
    if not isinstance(foreign, KeySet):
        yield from _each(case, (*rules.checks_without_key, *rules.checks_with_key), lost_to=foreign)
        return
    yield from _each(case, rules.checks_without_key)
    yield Check(FOREIGN, "held")
    candidates = foreign.candidates(case.kid)
    if not candidates:
        yield Check(KID, "failed")
        yield from (Check(later, "not reached") for later in rules.checks_with_key)
        return
    for each in candidates:
        case.key = each.key
        if _accepted(case, rules.checks_with_key):
            break
    yield from _each(case, rules.checks_with_key)


def _each(case: Case, names: Sequence[str], *, lost_to: NoKeys | None = None) -> Iterator[Check]:
    """The first that fails is followed by `issuer`, if the server then looked for other keys and had none."""
    for place, name in enumerate(names):
        try:
            case.pass_checks([name])
        except TokenRefused as refused:
            yield Check(name, "failed", refused.why)
            if lost_to is not None:
                yield Check(FOREIGN, "failed")
            yield from (Check(later, "not reached") for later in names[place + 1 :])
            return
        yield Check(name, "held")


def _accepted(case: Case, names: Sequence[str]) -> bool:
    try:
        case.pass_checks(names)
    except TokenRefused:
        return False
    return True


def _verdict(token: str, keyring: Keyring, now: int, rules: Release, keys_of: KeysOf) -> TokenRefused | None:
    try:
        keyring.judge(token, now, rules, keys_of)
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


class _Signed(msgspec.Struct, frozen=True):
    """What was signed, and the signature."""

    message: bytes
    signature: bytes

    @classmethod
    def of(cls, token: str) -> "_Signed | None":
        message, _, encoded = token.rpartition(".")
        try:
            signature = base64url.decode(encoded)
        except base64url.Base64Error:
            return None
        return cls(message.encode("utf-8", "surrogateescape"), signature) if signature and "." in message else None

    def key(self, keyring: Keyring) -> Literal["current", "retired", "unknown"]:
        if keyring.key.verifies(self.message, self.signature):
            return "current"
        return "unknown" if self._retired(keyring) is None else "retired"

    def by(self, keyring: Keyring, now: int, asked: dict[str, KeySet | NoKeys], kid: str | None) -> str | None:
        """`now` is in microseconds; `asked` are issuers with the keys that the server has of them."""
        if keyring.key.verifies(self.message, self.signature):
            return "the key of this emulator"
        if (rotated := self._retired(keyring)) is not None:
            return f"a key of this emulator that was rotated {now // 1_000_000 - rotated} s ago"
        for issuer, keys in asked.items():
            for each in keys.candidates(kid) if isinstance(keys, KeySet) else ():
                if each.key.verifies(self.message, self.signature):
                    named = "the key without `kid`" if each.kid is None else f"the key {each.kid[:80]!r}"
                    return f"{named} of {issuer}"
        return None

    def _retired(self, keyring: Keyring) -> int | None:
        """When the key was rotated, in seconds."""
        return next((at for key, at in keyring.retired if key.verifies(self.message, self.signature)), None)


def _decoded(token: str, place: int) -> str | None:
    segments = token.rsplit(".", 2)
    try:
        return base64url.decode(segments[place]).decode("utf-8", "backslashreplace") if len(segments) == 3 else None
    except base64url.Base64Error:
        return None
