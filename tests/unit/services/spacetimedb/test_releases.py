"""The rules of the releases, beside each other."""

from emulator.services.spacetimedb.release_table import COLUMNS, RULES, profiles_in_words, rules_in_words
from emulator.services.spacetimedb.releases import ALIASES, NAMES, PROFILES, Release, resolved
from emulator.services.spacetimedb.token_validation import CHECKS

DESCRIBED = {"name", "releases", "clients", "inferred"}

WHOLE_SECONDS = "more than 60 s after `exp`, whole seconds; a negative `exp`: never expires"
MICROSECONDS = "more than 60 s after `exp`, to the microsecond; a negative `exp`: expired"
TEXTS = "text: `typ`, `cty`, `jku`, `kid`, `x5u`, `x5t`, `x5t#S256`"
OLD_HEADER = (
    f"{TEXTS}; lists of texts: `x5c`; other members are skipped; can be a list; an unknown kind of `jwk` is refused"
)
NEW_HEADER = (
    f"{TEXTS}, `enc`, `zip`, `url`, `nonce`; lists of texts: `x5c`, `crit`; other members are read; "
    "must be an object; an unknown kind of `jwk` is accepted"
)
OLD_ALGORITHMS = "EC, RSA, oct, OKP: `ES256`, `RS256`, `HS256`"
NEW_ALGORITHMS = "EC: `ES256`; RSA: `RS256`; oct, OKP: none"
REFUSED_SET = "the whole set is refused"
OLD_REQUESTS = "two GETs on two connections, no `accept-encoding`"
NEW_REQUESTS = "two GETs on one connection, `accept-encoding: gzip, br`"
OLD_CORS = "`authorization`, `accept`, `content-type`"
NEW_CORS = f"{OLD_CORS}, `spacetime-environment`, `spacetime-environment-remove`"
OLD_SUBPROTOCOLS = "`v1.bsatn.spacetimedb`, `v1.json.spacetimedb`"
NEW_SUBPROTOCOLS = f"`v3.bsatn.spacetimedb`, `v2.bsatn.spacetimedb`, {OLD_SUBPROTOCOLS}"
OLD_UNKNOWN = "404 `` Could not resolve database `{name}` ``"
NEW_UNKNOWN = "404 `` `{name}` not found ``"
FIRST = "before all but credentials, and answer in chunks"
MORE_ROUTES = "`/route`, `/lock`, `/unlock`, `/mcp`"
OLD_ORDER = ("segments, header, payload, claims, nbf, expiry", "algorithm, signature, lengths, identity")
NEW_ORDER = ("segments, header, payload, claims, nbf", "algorithm, signature, expiry, lengths, identity")

TABLE = [
    # rule, v1, v2.8, v2.14, documented
    ("version", "1.12.0", "2.8.3", "2.14.0", "2.14.0"),
    ("null_exp", "`exp: null`", "`exp: null`", "no `exp`", "no `exp`"),
    ("expiry", WHOLE_SECONDS, WHOLE_SECONDS, MICROSECONDS, MICROSECONDS),
    ("checks_without_key", OLD_ORDER[0], OLD_ORDER[0], NEW_ORDER[0], NEW_ORDER[0]),
    ("checks_with_key", OLD_ORDER[1], OLD_ORDER[1], NEW_ORDER[1], NEW_ORDER[1]),
    ("header", OLD_HEADER, OLD_HEADER, NEW_HEADER, NEW_HEADER),
    ("algorithms", OLD_ALGORITHMS, OLD_ALGORITHMS, NEW_ALGORITHMS, NEW_ALGORITHMS),
    ("unusable_ec_key", "`InvalidSignature`", "`InvalidSignature`", "`InvalidEcdsaKey`", "`InvalidEcdsaKey`"),
    ("rsa_bits", "2048 to 8192 bits", "2048 to 8192 bits", "1024 to 4096 bits", "1024 to 4096 bits"),
    ("jwk_without_kid", REFUSED_SET, REFUSED_SET, "accepted", "accepted"),
    ("unknown_jwk_alg", REFUSED_SET, REFUSED_SET, "accepted", "accepted"),
    ("oct_keys", "used", "used", "left out", "left out"),
    ("same_kid", "the last", "the last", "the first", "the first"),
    ("issuer_schemes", "any case", "any case", "lower case", "lower case"),
    ("issuer_requests", OLD_REQUESTS, OLD_REQUESTS, NEW_REQUESTS, NEW_REQUESTS),
    ("numbers", "as text", "as double", "as double", "as double"),
    ("error_texts", "Debug", "Display", "Display", "Display"),
    ("cors_headers", OLD_CORS, OLD_CORS, NEW_CORS, NEW_CORS),
    ("subprotocols", OLD_SUBPROTOCOLS, NEW_SUBPROTOCOLS, NEW_SUBPROTOCOLS, NEW_SUBPROTOCOLS),
    ("unknown_database", OLD_UNKNOWN, NEW_UNKNOWN, NEW_UNKNOWN, NEW_UNKNOWN),
    ("query_id_name", "`QueryId`", "`QuerySetId`", "`QuerySetId`", "`QuerySetId`"),
    ("failures", "`TransactionUpdate`", "`SubscriptionError`", "`SubscriptionError`", "`SubscriptionError`"),
    ("unknown_reducer", "as sent", "if an identifier", "if an identifier", "if an identifier"),
    ("database_first", "after query and body", FIRST, FIRST, FIRST),
    ("schema_versions", "`9`", "`9`, `10`", "`9`, `10`", "`9`, `10`"),
    ("more_database_routes", "none", MORE_ROUTES, MORE_ROUTES, MORE_ROUTES),
    ("sessions", "unknown", "unknown", "since 2.10.2", "since 2.10.2"),
    ("schemes", "Bearer", "Bearer", "Bearer", "Bearer and Basic"),
    ("malformed_credentials", "400", "400", "400", "401"),
    ("database_list", "`identities`", "`identities`", "`identities`", "`addresses`"),
    ("set_email", "404", "404", "404", "exists"),
]


def test_these_are_the_rules_of_all_profiles() -> None:
    assert COLUMNS == ("v1", "v2.8", "v2.14", "documented")
    assert [(field, *values) for field, (_, values) in zip(RULES, rules_in_words(), strict=True)] == TABLE


def test_no_rule_is_missing_in_the_table() -> None:
    assert set(Release.__struct_fields__) - DESCRIBED == set(RULES)


def test_every_check_of_every_profile_exists() -> None:
    for release in PROFILES.values():
        assert {*release.checks_without_key, *release.checks_with_key} == set(CHECKS)


def test_v2_is_the_newest_release_of_2() -> None:
    assert (ALIASES, resolved("v2"), resolved("v2.8")) == ({"v2": "v2.14"}, "v2.14", "v2.8")


def test_every_name_of_a_profile_is_described() -> None:
    assert tuple(name for name, *_ in profiles_in_words()) == NAMES
