"""Ways to break a response on the wire."""

from enum import Enum


class Delivery(Enum):
    CLOSE = "the connection is closed without a byte"
    RESET = "the connection is reset (TCP RST)"
    TRUNCATE = "the body ends before its content-length"
    MALFORMED_CHUNK = "a chunk has no length"
    GARBAGE = "bytes that are not HTTP"
    HANG = "nothing, until the client hangs up"
