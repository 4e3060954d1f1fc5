"""What is wrong with a query in itself, whatever tables there are. Nothing else of SQL is emulated."""

import re

import msgspec

LONGEST = 50_000
"""Bytes of a query (MAX_SQL_LENGTH in crates/query/src/lib.rs)."""

_SHOWN = 120
_BLANK = re.compile(r"\s*")
_FIRST_WORD = re.compile(r"\s*([^\W\d][\w$]*)")

_STATEMENTS = frozenset({
    "ALTER", "ANALYZE", "ASSERT", "ATTACH", "BEGIN", "CACHE", "CALL", "CLOSE", "COMMENT", "COMMIT", "COPY", "CREATE",
    "DEALLOCATE", "DECLARE", "DELETE", "DESC", "DESCRIBE", "DISCARD", "DROP", "END", "EXECUTE", "EXPLAIN", "FETCH",
    "FLUSH", "GRANT", "INSERT", "INSTALL", "KILL", "LOAD", "LOCK", "MERGE", "MSCK", "PRAGMA", "PREPARE", "RELEASE",
    "REPLACE", "REVOKE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SHOW", "START", "TRUNCATE", "UNCACHE", "UNLOAD",
    "UNLOCK", "UPDATE", "USE", "VALUES", "WITH",
})  # fmt: skip
"""The words with which a statement of the crate sqlparser begins."""


class Wrong(msgspec.Struct, frozen=True):
    """The errors of a query, the outer one first, as Rust's `{:#}` joins them."""

    errors: tuple[str, ...]

    def of_subscription(self, query: str) -> str:
        return f"{self.errors[0]}, executing: `{query}`"

    def in_full(self, query: str) -> str:
        """As releases 1.x say it of a Subscribe of v1."""
        return ": ".join((self.of_subscription(query), *self.errors))


def wrong_with(query: str, *, subscription: bool) -> Wrong | None:
    """What the server refuses the query for; None if nothing is."""
    if subscription and _BLANK.fullmatch(query):
        return Wrong(("SubscriptionError: Empty string", "Empty string"))
    if _BLANK.fullmatch(query):
        return Wrong(("Empty SQL query",))
    if len(query.encode("utf-8", "surrogatepass")) > LONGEST:
        return Wrong((f'SQL query exceeds maximum allowed length: "{query[:_SHOWN]}..."',))
    word = _FIRST_WORD.match(query)
    if word is not None and word[1].upper() not in _STATEMENTS:
        before = query[: word.start(1)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Wrong(
            (f"sql parser error: Expected an SQL statement, found: {word[1]} at Line: {line}, Column {column}",)
        )
    return None


_TABLE = re.compile(r'\bFROM\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?(\w+)"?)?', re.IGNORECASE)
_JOINED = re.compile(r'\bJOIN\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?(\w+)"?)?', re.IGNORECASE)
_PROJECTED = re.compile(r'\s*SELECT\s+"?(\w+)"?\s*\.\s*\*', re.IGNORECASE)


def table_of(query: str) -> str:
    """The table whose rows a query of a subscription returns; empty if it is none of the subscription grammar."""
    tables = [*_TABLE.findall(query[:LONGEST]), *_JOINED.findall(query[:LONGEST])]
    projected = _PROJECTED.match(query)
    for name, alias in tables:
        if projected is None or projected[1] in (name, alias):
            return str(name)
    return ""
