"""What the releases of SpacetimeDB do differently, as data: one frozen value per profile, one row per rule.

A new release is a new row below that names only what changes from the one before. Nothing else in the emulator asks
for the name of a profile. docs/fidelity.md, Profiles, prints all rules beside each other, with their evidence.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

LEEWAY = 60
"""Seconds for which a token is accepted after `exp`, in all releases."""

_SECOND = 1_000_000


class Expiry(msgspec.Struct, frozen=True):
    """When a token with `exp` is refused."""

    clock: Literal["whole seconds", "microseconds"]
    """Whether the current time is rounded down to a second before it is compared."""
    negative: Literal["never expires", "expired"]
    """What a negative `exp` means."""

    def refused_from(self, exp: int) -> int | None:
        """The first moment (microseconds) at which a token with this `exp` (seconds) is refused; None is never."""
        if exp < 0 and self.negative == "never expires":
            return None
        edge = (exp + LEEWAY) * _SECOND
        return edge + (_SECOND if self.clock == "whole seconds" else 1)


class HeaderRules(msgspec.Struct, frozen=True):
    """How the header of a token is parsed: `Header` of the server's JWT library."""

    texts: tuple[str, ...]
    """Members that must be a string or null, in the struct's order."""
    lists: tuple[str, ...]
    """Members that must be a list of strings or null."""
    unknown_members: Literal["skipped", "read"]
    """Whether the value of any other member is only skipped, or read and kept."""
    from_list: bool
    """Whether a JSON list can be a header too: the members in the struct's order."""
    unknown_keys: Literal["refused", "accepted"]
    """What happens to a `jwk` of an unknown kind of key, or with an unknown `alg`."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a profile."""

    name: str
    version: str
    """What `GET /v1/health` says."""
    releases: str
    """The releases of the server that have these rules."""
    clients: str
    """The clients of these releases."""
    inferred: str
    """What of it is neither recorded nor read in the source of a release."""

    null_exp: bool
    """Whether a token that never expires has `exp: null`; without, it has no `exp`."""
    expiry: Expiry
    checks_without_key: tuple[str, ...]
    """The checks of a token that come first, in order: their failure is told of foreign issuers' tokens too."""
    checks_with_key: tuple[str, ...]
    """The checks that follow, in order: of a foreign issuer's token, the server goes on to look for another key."""
    header: HeaderRules
    algorithms: Mapping[str, tuple[str, ...]]
    """By family of key, the values of `alg` that are tried with it; every other is `InvalidAlgorithm`."""
    unusable_ec_key: Literal["InvalidSignature", "InvalidEcdsaKey"]
    """The error of a token whose EC key is no point of P-256."""
    rsa_bits: tuple[int, int]
    """The least and the most bits of an RSA key that verifies."""
    jwk_without_kid: Literal["refused", "accepted"]
    """Whether the key set of an issuer may have keys without `kid`."""
    unknown_jwk_alg: Literal["refused", "accepted"]
    """Whether a key of a set may have an `alg` that the JWT library does not know."""
    oct_keys: Literal["used", "left out"]
    """What the server does with the shared secrets of a key set."""
    same_kid: Literal["first", "last"]
    """Which of a set's keys with the same `kid` counts."""
    issuer_schemes: Literal["any case", "lower case"]
    """How `http` and `https` are written in an `iss` whose keys are fetched."""
    issuer_requests: tuple[str, Literal["one connection", "two connections"]]
    """`accept-encoding` of the two requests for an issuer's keys, and on how many connections they are sent."""
    numbers: Literal["as text", "as double"]
    """What serde_json keeps of a number in claims: its text (`arbitrary_precision`), or an integer or double."""
    error_texts: Literal["debug", "display"]
    """The format of the text of a 401, in Rust's terms: `{:?}` or `{}`."""
    cors_headers: tuple[str, ...]
    """The response to a preflight request allows these headers."""

    subprotocols: tuple[str, ...]
    """Protocols of `GET /v1/database/:db/subscribe`, in the server's order of preference."""
    unknown_database: str
    """The text of a 404 for a database whose name, `{name}`, is not known."""
    query_id_name: Literal["QueryId", "QuerySetId"]
    """The type of a query set's id, in errors and in the JSON of v1."""
    failures: Literal["TransactionUpdate", "SubscriptionError"]
    """The message of v1 for a subscription that could not be made at all."""
    unknown_reducer: Literal["as sent", "if an identifier"]
    """When v1 names the reducer that does not exist."""
    database_first: bool = False
    """Whether most routes of `/v1/database/:db` find the database before they judge method, query and body.

    What follows is then sent in one chunk, without `content-length` (2.8.3 and later).
    """
    schema_versions: tuple[str, ...]
    """What `version` of `GET /v1/database/:db/schema` can be."""
    more_database_routes: tuple[str, ...] = ()
    """Routes of `/v1/database/:db` that releases 1.x do not have, by the first segment."""
    sessions: bool = False
    """Whether `subscribe` takes `session_id` and clients may send SubscribeBatch (2.10.2 and later)."""

    schemes: tuple[str, ...] = ("bearer",)
    """Accepted schemes of `Authorization`."""
    malformed_credentials: int = 400
    """The status for a malformed `Authorization` where a token is needed."""
    database_list: Literal["identities", "addresses"] = "identities"
    """What `GET /v1/identity/:identity/databases` lists."""
    set_email: bool = False
    """Whether `POST /v1/identity/:identity/set-email` exists."""


_change = msgspec.structs.replace

_V1 = Release(
    name="v1",
    version="1.12.0",
    releases="1.9.0 to 2.2.0",
    clients="npm `spacetimedb` 1.x (tried: 1.12.0)",
    inferred="recorded from 1.12.0; that the other releases have the same rules is read in their source",
    null_exp=True,
    expiry=Expiry(clock="whole seconds", negative="never expires"),
    checks_without_key=("segments", "header", "payload", "claims", "nbf", "expiry"),
    checks_with_key=("algorithm", "signature", "lengths", "identity"),
    header=HeaderRules(
        texts=("typ", "cty", "jku", "kid", "x5u", "x5t", "x5t#S256"),
        lists=("x5c",),
        unknown_members="skipped",
        from_list=True,
        unknown_keys="refused",
    ),
    algorithms=dict.fromkeys(("EC", "RSA", "oct", "OKP"), ("ES256", "RS256", "HS256")),
    unusable_ec_key="InvalidSignature",
    rsa_bits=(2048, 8192),
    jwk_without_kid="refused",
    unknown_jwk_alg="refused",
    oct_keys="used",
    same_kid="last",
    issuer_schemes="any case",
    issuer_requests=("", "two connections"),
    numbers="as text",
    error_texts="debug",
    cors_headers=("authorization", "accept", "content-type"),
    subprotocols=("v1.bsatn.spacetimedb", "v1.json.spacetimedb"),
    unknown_database="Could not resolve database `{name}`",
    query_id_name="QueryId",
    failures="TransactionUpdate",
    unknown_reducer="as sent",
    schema_versions=("9",),
)

_V2_8 = _change(
    _V1,
    name="v2.8",
    version="2.8.3",
    releases="2.3.0 to 2.9.0",
    clients="npm `spacetimedb` 2.0.0 to 2.9.0 (tried: 2.0.0, 2.8.3)",
    inferred="recorded from 2.8.3; that 2.3.0 has the same rules is read in its source, 2.9.0 is inferred",
    numbers="as double",
    error_texts="display",
    subprotocols=("v3.bsatn.spacetimedb", "v2.bsatn.spacetimedb", *_V1.subprotocols),
    unknown_database="`{name}` not found",
    query_id_name="QuerySetId",
    failures="SubscriptionError",
    unknown_reducer="if an identifier",
    database_first=True,
    schema_versions=("9", "10"),
    more_database_routes=("route", "lock", "unlock", "mcp"),
)

_V2_14 = _change(
    _V2_8,
    name="v2.14",
    version="2.14.0",
    releases="2.12.0 to 2.14.0, and nearly 2.10.0 to 2.11.0",
    clients="npm `spacetimedb` 2.10.0 and later",
    inferred="tokens are run with the releases' code; response headers, CORS and health are inferred",
    null_exp=False,
    expiry=Expiry(clock="microseconds", negative="expired"),
    checks_without_key=("segments", "header", "payload", "claims", "nbf"),
    checks_with_key=("algorithm", "signature", "expiry", "lengths", "identity"),
    header=HeaderRules(
        texts=("typ", "cty", "jku", "kid", "x5u", "x5t", "x5t#S256", "enc", "zip", "url", "nonce"),
        lists=("x5c", "crit"),
        unknown_members="read",
        from_list=False,
        unknown_keys="accepted",
    ),
    algorithms={"EC": ("ES256",), "RSA": ("RS256",), "oct": (), "OKP": ()},
    unusable_ec_key="InvalidEcdsaKey",
    rsa_bits=(1024, 4096),
    jwk_without_kid="accepted",
    unknown_jwk_alg="accepted",
    oct_keys="left out",
    same_kid="first",
    issuer_schemes="lower case",
    issuer_requests=("gzip, br", "one connection"),
    cors_headers=(*_V2_8.cors_headers, "spacetime-environment", "spacetime-environment-remove"),
    sessions=True,
)

_NEWEST = _V2_14

_DOCUMENTED = _change(
    _NEWEST,
    name="documented",
    releases="none: the documentation page as written; where it says nothing, the newest release",
    clients="any that does what the page says",
    inferred="everything that the page does not say",
    schemes=("bearer", "basic"),
    malformed_credentials=401,
    database_list="addresses",
    set_email=True,
)

PROFILES: Mapping[str, Release] = {each.name: each for each in (_DOCUMENTED, _V1, _V2_8, _V2_14)}

ALIASES: Mapping[str, str] = {"v2": _NEWEST.name}
"""`v2` is always the newest 2.x."""

NAMES = (*PROFILES, *ALIASES)
"""Everything that a profile can be called."""

DEFAULT = _DOCUMENTED.name


def resolved(name: str) -> str:
    """The name of the profile that an alias stands for; any other name as it is."""
    return ALIASES.get(name, name)
