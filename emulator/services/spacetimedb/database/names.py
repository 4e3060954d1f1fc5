"""Names and identities of databases in paths: crates/client-api/src/util.rs, the same in v1.12.0 and v2.8.3."""

import re

from emulator.services.spacetimedb.model import Identity

_IDENTITY = re.compile(r"(?:0x|X')?([0-9a-fA-F]{64})")
_AMISS = re.compile(r"-(?:\Z|[^a-z0-9])|[^a-z0-9-]|\A-")

ALLOWED = "a name has lower-case letters and digits, and single hyphens between them"


def identity_in(text: str) -> Identity | None:
    """The identity that a text is: 64 hex digits in either case, also after `0x` or `X'` (crates/lib/src/lib.rs)."""
    found = _IDENTITY.fullmatch(text)
    return None if found is None else Identity(found[1].lower())


def fault(name: str) -> str:
    """Why no database can have this name, in the server's words; empty when one can.

    `parse_database_name` in crates/client-api-messages/src/name.rs: the first fault from the left counts.
    """
    if identity_in(name):
        return "database names cannot be identities"
    if not name:
        return "database names cannot be empty"
    found = _AMISS.search(name)
    if found is None:
        return ""
    return "invalid hyphen in database name" if found[0].startswith("-") else "invalid characters in database name"
