"""What bytes are that should have been text in UTF-8, by their beginning."""

_MARKS = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
"""Byte order marks, the longer ones first."""
_WITHOUT_MARK: dict[tuple[bool, ...], str] = {
    (True, True, True, False): "UTF-32",
    (False, True, True, True): "UTF-32",
    (True, False, True, False): "UTF-16",
    (False, True, False, True): "UTF-16",
}
"""Which of the first four bytes are 0, for two characters of ASCII."""

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_DEFLATE = 8


def wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32, if that is what the bytes are."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    return _WITHOUT_MARK.get(tuple(byte == 0 for byte in data[:4]))


def compression(data: bytes) -> str | None:
    """How bytes are compressed, if they begin so. Brotli and deflate without its head (RFC 1951) can't be seen."""
    for beginning, name in _COMPRESSED.items():
        if data.startswith(beginning):
            return name
    # RFC 1950, 2.2: the method, a window of at most 32 KiB, and a check of both
    is_zlib = len(data) > 2 and data[0] & 15 == _DEFLATE and data[0] >> 4 <= 7 and int.from_bytes(data[:2]) % 31 == 0
    return "deflate" if is_zlib else None
