"""How much the journal keeps."""

KEPT_OF_A_BODY = 16 * 1024
"""Bytes; the size is kept too."""
KEPT_IN_ALL = 32 * 1024 * 1024
"""Bytes, roughly, of all exchanges, unless `journal_bytes` says otherwise. The oldest are dropped first."""
KEPT_FRAMES = 200
"""Of a WebSocket; the oldest are dropped first."""
KEPT_OF_FRAMES = 64 * 1024
"""Bytes, roughly, of all frames of a WebSocket; how it ended takes up to 16 KiB more."""
KEPT_OF_A_FRAME = 4 * 1024
"""Characters; the size is kept too."""
