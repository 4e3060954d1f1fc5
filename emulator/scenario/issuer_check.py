"""Checks of `spacetime.issuers`: URLs that can't be issuers, and key sets that the server refuses as a whole."""

from collections.abc import Iterable, Iterator

from emulator.scenario import schema
from emulator.scenario.document import Path
from emulator.services.spacetimedb.issuers.jwks import KeySetRefused, read_key_set
from emulator.services.spacetimedb.issuers.providers import LONGEST_URL, written
from emulator.services.spacetimedb.issuers.registry import place_of, why_never_fetched
from emulator.services.spacetimedb.releases import PROFILES, Release, resolved

Mistake = tuple[Path, str]


def mistakes_in_issuers(part: schema.SpacetimePart) -> Iterator[Mistake]:
    """Without a profile, what a release refuses is a mistake only if each does."""
    releases = list(PROFILES.values()) if part.profile is None else [PROFILES[resolved(part.profile)]]
    places: dict[str, str] = {}
    for url, given in part.issuers.items():
        path: Path = ("spacetime", "issuers", url)
        issuer = given or schema.IssuerPart()
        if wrong := _wrong_url(url, issuer, releases):
            yield path, wrong
        elif (other := places.setdefault(place_of(url), url)) != url:
            yield path, f"the server fetches the keys of {other} from the same place; remove one of the two"
        for below, text in _wrong_part(issuer, releases):
            yield (*path, *below), text


def _wrong_url(url: str, issuer: schema.IssuerPart, releases: Iterable[Release]) -> str:
    if not 0 < len(url) <= LONGEST_URL:
        return f"an issuer is a URL of 1 to {LONGEST_URL} characters"
    reasons = [why_never_fetched(url, each) for each in releases]
    return reasons[0] if all(reasons) and not issuer.accept_as_server else ""


def _wrong_part(issuer: schema.IssuerPart, releases: Iterable[Release]) -> Iterator[Mistake]:
    given = {"algorithm": issuer.algorithm is not None, "jwks": issuer.jwks is not None, "fetch": issuer.fetch}
    named = [name for name, is_given in given.items() if is_given]
    if len(named) > 1:
        yield (named[-1],), f"an issuer has only one of {', '.join(given)}; remove {' or '.join(named)}"
    elif isinstance(issuer.jwks, dict) and not issuer.accept_as_server:
        reasons = [_refusal(issuer.jwks, each) for each in releases]
        if reasons[0] is not None and all(reasons):
            at = () if reasons[0].at is None else ("keys", reasons[0].at)
            why = f"the server refuses the whole key set: {reasons[0]}"
            yield ("jwks", *at), f"{why}; to test that, add `accept_as_server: true`"


def _refusal(jwks: dict[str, object], rules: Release) -> KeySetRefused | None:
    try:
        read_key_set(written(jwks), rules)
    except KeySetRefused as refused:
        return refused
    return None
