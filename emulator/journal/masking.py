"""Secrets masked in texts for people."""

import re

MASK = "***"
_NAMED = r"(?:token|key|secret|passw|auth|cookie|session)"

# JWTs anywhere (`{"` in base64url begins with eyJ), and values of query parameters and JSON keys named like secrets.
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]*\.?[\w-]*"
    rf"|(?<=[?&])(?P<query>[^=&\s]*{_NAMED}[^=&\s]*=)[^&\s'\"`]+"
    rf'|(?P<json>"[^"]*{_NAMED}[^"]*"\s*:\s*")(?:[^"\\]|\\.)+',
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """`text` with every JWT, and every value whose name looks like a secret's, replaced by `***`."""
    return _SECRETS.sub(lambda match: f"{match['query'] or match['json'] or ''}{MASK}", text)


def is_secret(name: str) -> bool:
    """Whether a header's name looks like a secret's."""
    return re.search(_NAMED, name, re.IGNORECASE) is not None
