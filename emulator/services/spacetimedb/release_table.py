"""The rules of all profiles beside each other, in words: for `serve --list-profiles` and docs/fidelity.md."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from emulator.services.spacetimedb.releases import ALIASES, DEFAULT, LEEWAY, PROFILES, Expiry, HeaderRules

Words = Callable[[Any], str]


def _in_order(names: Iterable[str]) -> str:
    return ", ".join(names)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _expiry(rule: Expiry) -> str:
    compared = "whole seconds" if rule.clock == "whole seconds" else "to the microsecond"
    return f"more than {LEEWAY} s after `exp`, {compared}; a negative `exp`: {rule.negative}"


def _header(rule: HeaderRules) -> str:
    from_list = "can be a list" if rule.from_list else "must be an object"
    return (
        f"text: {_codes(rule.texts)}; lists of texts: {_codes(rule.lists)}; other members are {rule.unknown_members}; "
        f"{from_list}; an unknown kind of `jwk` is {rule.unknown_keys}"
    )


def _algorithms(rule: Mapping[str, tuple[str, ...]]) -> str:
    alike: dict[tuple[str, ...], list[str]] = {}
    for family, names in rule.items():
        alike.setdefault(names, []).append(family)
    return "; ".join(f"{', '.join(families)}: {_codes(names) or 'none'}" for names, families in alike.items())


def _of_a_set(rule: str) -> str:
    return "the whole set is refused" if rule == "refused" else rule


def _requests(rule: tuple[str, str]) -> str:
    encodings, connections = rule
    return f"two GETs on {connections}, {f'`accept-encoding: {encodings}`' if encodings else 'no `accept-encoding`'}"


class Rule(NamedTuple):
    """What a field of `Release` is about, its value in words, and where it is known from."""

    about: str
    words: Words
    evidence: str


_RECORDED_AND_RUN = "recorded; `v2.14`: run with the release's crates"
_RUN_AND_SOURCE = "run with the releases' crates; the lower limits: source, and 1024 in `v2.14` accepted when run"
_SOURCE_AND_PAGE = "recorded; `documented`: page"

_RECORDED_AND_INFERRED = "recorded; `v2.14`: inferred"

RULES: Mapping[str, Rule] = {
    "version": Rule("`GET /v1/health` says", str, "recorded; `v2.14`: inferred"),
    "null_exp": Rule(
        "a token that never expires", lambda rule: "`exp: null`" if rule else "no `exp`", _RECORDED_AND_RUN
    ),
    "expiry": Rule("a token is refused", _expiry, _RECORDED_AND_RUN),
    "checks_without_key": Rule("checks of a token, in order", _in_order, _RECORDED_AND_RUN),
    "checks_with_key": Rule(
        "then these, with the server's key; if one fails, again with the keys of a foreign issuer",
        _in_order,
        _RECORDED_AND_RUN,
    ),
    "header": Rule("the header of a token", _header, "recorded; `v2.14`: run, and source of jsonwebtoken 11"),
    "algorithms": Rule("`alg` tried with a key", _algorithms, _RECORDED_AND_RUN),
    "unusable_ec_key": Rule(
        "an issuer's EC key that is no point of P-256", lambda rule: f"`{rule}`", _RECORDED_AND_RUN
    ),
    "rsa_bits": Rule("an issuer's RSA key has", lambda rule: f"{rule[0]} to {rule[1]} bits", _RUN_AND_SOURCE),
    "jwk_without_kid": Rule("a key of an issuer's set without `kid`", _of_a_set, _RECORDED_AND_RUN),
    "unknown_jwk_alg": Rule("a key of an issuer's set with an unknown `alg`", _of_a_set, _RECORDED_AND_RUN),
    "oct_keys": Rule("an issuer's shared secrets (`oct`, HS256)", str, _RECORDED_AND_RUN),
    "same_kid": Rule("of an issuer's keys with the same `kid` counts", lambda rule: f"the {rule}", _RECORDED_AND_RUN),
    "issuer_schemes": Rule("keys are fetched for an `iss` with `http` or `https` in", str, _RECORDED_AND_RUN),
    "issuer_requests": Rule("keys are fetched with", _requests, _RECORDED_AND_RUN),
    "numbers": Rule("numbers in claims are kept", str, _RECORDED_AND_RUN),
    "error_texts": Rule("the format of a 401's text", str.capitalize, _RECORDED_AND_RUN),
    "cors_headers": Rule("a preflight allows the headers", _codes, "recorded; `v2.14`: source, not of a release"),
    "subprotocols": Rule("`subscribe` chooses the first of", _codes, "recorded; `v2.14`: source"),
    "unknown_database": Rule(
        "a name that no database has", lambda rule: f"404 `` {rule} ``", "recorded; `v2.14`: inferred"
    ),
    "query_id_name": Rule("the id of a subscription is called", lambda rule: f"`{rule}`", _RECORDED_AND_INFERRED),
    "failures": Rule(
        "v1: a subscription that can't be made is answered with", lambda rule: f"`{rule}`", _RECORDED_AND_INFERRED
    ),
    "unknown_reducer": Rule(
        "v1: the name of an unknown reducer is sent back", str, "recorded, and source; `v2.14`: inferred"
    ),
    "database_first": Rule(
        "most routes of a database find it",
        lambda rule: "before all but credentials, and answer in chunks" if rule else "after query and body",
        "recorded; `v2.14`: inferred",
    ),
    "schema_versions": Rule("versions of a schema", _codes, "recorded; `v2.14`: inferred"),
    "more_database_routes": Rule(
        "routes of a database, besides those of 1.x",
        lambda rule: _codes(f"/{name}" for name in rule) or "none",
        "recorded; `v2.14`: inferred",
    ),
    "sessions": Rule(
        "`?session_id=` and SubscribeBatch",
        lambda rule: "since 2.10.2" if rule else "unknown",
        "source and public code",
    ),
    "schemes": Rule("schemes of `Authorization`", lambda rule: " and ".join(map(str.title, rule)), _SOURCE_AND_PAGE),
    "malformed_credentials": Rule("status for a malformed `Authorization`", str, _SOURCE_AND_PAGE),
    "database_list": Rule("databases are listed as", lambda rule: f"`{rule}`", _SOURCE_AND_PAGE),
    "set_email": Rule("set-email", lambda rule: "exists" if rule else "404", _SOURCE_AND_PAGE),
}
"""By field of `Release`."""

COLUMNS = (*(name for name in PROFILES if name != DEFAULT), DEFAULT)
"""The profiles, the releases first."""


def rules_in_words() -> Iterator[tuple[Rule, list[str]]]:
    """Each rule, and its value in each profile of COLUMNS."""
    for field, rule in RULES.items():
        yield rule, [rule.words(getattr(PROFILES[name], field)) for name in COLUMNS]


def profiles_in_words() -> Iterator[tuple[str, str, str, str]]:
    """Name, releases, clients and what is inferred, of each profile and alias."""
    for release in PROFILES.values():
        yield release.name, release.releases, release.clients, release.inferred
    for alias, name in ALIASES.items():
        yield alias, f"always the newest 2.x: now {name}", f"as {name}", f"as {name}"
