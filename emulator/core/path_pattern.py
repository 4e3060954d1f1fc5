"""Patterns of paths, as scenarios, faults and questions to the journal write them."""

import re
from functools import lru_cache


@lru_cache(maxsize=256)
def path_pattern(path: str) -> re.Pattern[str]:
    """The paths a pattern means: `*` stands for one segment, `**` for anything."""
    parts = re.split(r"(\*\*|\*)", path)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)
