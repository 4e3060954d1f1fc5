"""Secrets taken out of texts that people read."""

import re

MASK = "***"


_NAMED = r"(?:token|key|secret|passw|auth|cookie|session)"


# Tokens wherever they stand; the values of what is named like a secret, in queries and in JSON.
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]*\.?[\w-]*"
    rf"|(?<=[?&])(?P<query>[^=&\s]*{_NAMED}[^=&\s]*=)[^&\s'\"`]+"
    rf'|(?P<json>"[^"]*{_NAMED}[^"]*"\s*:\s*")(?:[^"\\]|\\.)+',
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """`text` without its tokens, and without the values of what is named like a secret."""
    return _SECRETS.sub(lambda match: f"{match['query'] or match['json'] or ''}{MASK}", text)


def is_secret(name: str) -> bool:
    """Whether a header is named like a secret."""
    return re.search(_NAMED, name, re.IGNORECASE) is not None
