"""How much the journal keeps."""

KEPT_OF_A_BODY = 16 * 1024
"""Bytes; the size is kept too."""
KEPT_IN_ALL = 32 * 1024 * 1024
"""Bytes, roughly, of all exchanges, unless `journal_bytes` says otherwise. The oldest are dropped first."""
