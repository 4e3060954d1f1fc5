"""E-mail addresses as SpacetimeDB v0.12 validated them: rules and error texts of the crate email_address 0.2.9."""

import re

# Non-ASCII characters are always allowed, ASCII characters unless listed here.
_ATOM = re.compile(r"""[^\x00-\x20()<>@,;:\\".\[\]\x7f]+""")
_QUOTED = re.compile(r"""(?:[^\x00-\x08\x0a-\x1f"\\\x7f]|\\[\t -~])*""")
_LITERAL = re.compile(r"""[^\x00-\x20\[\\\]\x7f]*""")


def fault(address: str) -> str | None:
    """The crate's error text for `address`, None when it is valid. Lengths are in bytes."""
    local, at, domain = address.rpartition("@")
    if not at:
        return "Missing separator character '@'."
    return _local_error(local) or _domain_error(domain)


def _local_error(local: str) -> str | None:
    if local in {"", '"', '""'}:
        return "Local part is empty."
    if len(local.encode()) > 64:
        return "Local part is too long. Length limit: 64"
    if local.startswith('"') and local.endswith('"'):
        return None if _QUOTED.fullmatch(local[1:-1]) else "Invalid character."
    return None if all(map(_ATOM.fullmatch, local.split("."))) else "Invalid character."


def _domain_error(domain: str) -> str | None:
    if not domain:
        return "Domain is empty."
    if len(domain.encode()) > 254:
        return "Domain is too long. Length limit: 254"
    if domain.startswith("[") and domain.endswith("]"):
        return None if _LITERAL.fullmatch(domain[1:-1]) else "Invalid character."
    return next(filter(None, map(_label_error, domain.split("."))), None)


def _label_error(label: str) -> str | None:
    if not label:
        return "A sub-domain is empty."
    if len(label.encode()) > 63:
        return "A sub-domain is too long. Length limit: 63"
    return None if _ATOM.fullmatch(label) else "Invalid character."
