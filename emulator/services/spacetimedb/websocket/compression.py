"""Compression of binary messages: one byte that names it, then the message (websocket_building.rs of v2.8.3)."""

import zlib
from functools import cache
from importlib import import_module
from types import ModuleType

NONE, BROTLI, GZIP = "None", "Brotli", "Gzip"
CHOICES = (NONE, BROTLI, GZIP)
"""What `?compression=` can say, in the server's order."""

DEFAULT = BROTLI

_THRESHOLD = 1024
"""Longer messages are compressed."""

_FASTEST = 1
_RAW_DEFLATE = -zlib.MAX_WBITS
_GZIP_FORMAT = 16 + zlib.MAX_WBITS
_GZIP_HEAD = bytes.fromhex("1f8b08000000000004ff")
"""Without a time, at the fastest level, from an unknown system: as the crate flate2 writes it."""

_PLAIN, _BROTLI, _GZIP = b"\x00", b"\x01", b"\x02"


def packed(message: bytes, compression: str) -> bytes:
    """A message with its byte. Without a library for Brotli it is not compressed, which every client accepts."""
    if len(message) > _THRESHOLD:
        if compression == GZIP:
            return _GZIP + _gzip(message)
        if compression == BROTLI and (brotli := _library()) is not None:
            return _BROTLI + bytes(brotli.compress(message, quality=_FASTEST))
    return _PLAIN + message


def unpacked(frame: bytes) -> bytes:
    """The message of a frame that `packed` made. Raises ValueError for any other."""
    kind, content = frame[:1], frame[1:]
    if kind == _PLAIN:
        return content
    brotli = _library()
    try:
        if kind == _GZIP:
            return zlib.decompress(content, _GZIP_FORMAT)
        if kind == _BROTLI and brotli is not None:
            return bytes(brotli.decompress(content))
    except Exception as error:  # the libraries have an error class each
        raise ValueError("not compressed as its first byte says") from error
    raise ValueError("the first byte names no compression")


def _gzip(message: bytes) -> bytes:
    deflate = zlib.compressobj(_FASTEST, zlib.DEFLATED, _RAW_DEFLATE)
    body = deflate.compress(message) + deflate.flush()
    return _GZIP_HEAD + body + zlib.crc32(message).to_bytes(4, "little") + len(message).to_bytes(4, "little")


@cache
def _library() -> ModuleType | None:
    """Of the extra `brotli`, imported at the first message that needs it."""
    for name in ("brotli", "brotlicffi"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None
