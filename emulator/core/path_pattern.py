"""Patterns of paths, as used in scenarios, faults and journal queries."""

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def path_pattern(path: str) -> re.Pattern[str]:
    """The regular expression of a path pattern: `*` is one segment, `**` is anything."""
    parts = re.split(r"(\*\*|\*)", path)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)
