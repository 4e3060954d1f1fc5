"""`identity-emulator token`."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from emulator.cli.address import Where, asking, where
from emulator.cli.input import file, stdin
from emulator.cli.output import printable_json
from emulator.core.clock import Clock
from emulator.services.spacetimedb.model import Claims
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.releases import DEFAULT, LEEWAY, PROFILES
from emulator.services.spacetimedb.token_validation import Inspection, inspect

_RULES = PROFILES[DEFAULT]


@click.group()
def token() -> None:
    """Inspect tokens."""


@token.command()
@click.argument("jwt")
@asking
def decode(
    jwt: str, *, url: str | None, ready_file: Path | None, control_token: str | None, control_token_file: Path | None
) -> None:
    """Print a token's claims and the time left.

    It prints the JWT's algorithm, claims, identity, and the time until it expires. - reads stdin; a path, that file.
    hex_identity is compared with the identity of iss and sub. The signature is not verified, as there is no key, and an
    expired token is not an error. Exit status 1 if the server could not parse the token.

    With --url or --ready-file it is the emulator there that judges the token, by its keys, profile and clock: each of
    its checks is printed, and what it would answer. Exit status 1 if it refuses the token.
    """
    if url is not None or ready_file is not None:
        _ask(_given(jwt).strip(), where(url, ready_file, control_token, control_token_file))
        return
    try:
        found = inspect(_given(jwt).strip(), _RULES)
    except TokenRefused as refused:
        raise click.ClickException(f"{refused.text}\n{refused.why}") from None
    click.echo(printable_json({"alg": found.algorithm, "claims": found.claims.payload()}))
    click.echo(_identity_in_words(found))
    click.echo(_time_in_words(found.claims, Clock().micros()))


def _ask(jwt: str, at: Where) -> None:
    """Print what a world says to a token; the exit status is 1 if it refuses it. Raises Misconfigured."""
    found = at.control()("POST", "/spacetime/tokens/inspect", {"token": jwt})
    for line in _chain_lines(found):
        click.echo(line)
    if not found["accepted"]:
        sys.exit(1)


def _given(text: str) -> str:
    """The token itself, or where it is. Raises Misconfigured."""
    if text == "-":
        return stdin().decode("utf-8", "replace")
    # No token has a slash.
    return file(Path(text)).decode("utf-8", "replace") if "/" in text and os.path.exists(text) else text  # noqa: PTH110 - raises nothing


def _identity_in_words(found: Inspection) -> str:
    own = found.claims.identity
    if found.claimed is None:
        return f"identity: {own}, from iss and sub; the token has no hex_identity"
    if found.claimed == own:
        return f"identity: {own}, matches iss and sub"
    return f"identity: {found.claimed} is not {own}, the identity of iss and sub: the server refuses it"


def _time_in_words(claims: Claims, now: int) -> str:
    if claims.expires_at is None:
        return "expires:  never"
    left = claims.expires_at - now // 1_000_000
    if left >= 0:
        return f"expires:  in {left} s"
    end = _RULES.expiry.refused_from(claims.expires_at)
    refused = end is not None and now >= end
    return f"expires:  {-left} s ago; {'refused' if refused else f'still accepted, within the leeway of {LEEWAY} s'}"


def _chain_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """What a world says to a token: what could be read of it, its checks in their order, the answer."""
    yield f"profile {found['profile']}, at {found['now']} by the emulator's clock"
    for name in (
        "algorithm",
        "issuer",
        "subject",
        "identity",
        "hex_identity",
        "issued_at",
        "expires_at",
        "refused_from",
    ):
        if found[name] is not None:
            yield f"{name:<12}  {found[name]}"
    yield f"{'key':<12}  {_KEYS[found['key']]}"
    for each in found["checks"]:
        reason = f": {each['reason']}" if each["reason"] else ""
        yield f"{each['result']:<12}  {each['name']}{reason}"
    answer = "accepted" if found["accepted"] else f"{found['status']} {found['text']}"
    yield f"{'answer':<12}  {answer}"


_KEYS = {
    "current": "the current key of this world",
    "retired": "a key of this world before a rotation",
    "unknown": "none of this world",
    None: "none: there is no signature",
}
