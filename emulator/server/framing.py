"""What a client sends on a WebSocket, without a socket: bytes in, messages and control frames out.

The checks are those of tungstenite (src/protocol/mod.rs), as SpacetimeDB 2.8.3 uses it: there are no extensions, and an
error ends the connection without a Close frame.
"""

import codecs
from collections.abc import Generator

import msgspec
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from emulator.core.close_frame import is_close_code
from emulator.http.upgrade import Message


class Violation(Exception):
    """The bytes are no WebSocket frames, or not in a valid order (RFC 6455), or the message is too large."""


class Ping(msgspec.Struct, frozen=True):
    payload: bytes


class Pong(msgspec.Struct, frozen=True):
    payload: bytes


class ClientClose(msgspec.Struct, frozen=True):
    """`code` is None in a Close frame without one."""

    code: int | None
    reason: str = ""


Event = Message | Ping | Pong | ClientClose


class Framing:
    """Reads one event after the other, however the bytes were split into packets."""

    def __init__(self, largest_message: int) -> None:
        self._largest = largest_message
        self._bytes = StreamReader()
        self._frame = self._next_frame()
        self._parts: list[bytes | str] = []
        """Of a message whose last frame is to come."""
        self._size = 0
        self._is_text: bool | None = None
        """Of that message; None between two messages."""
        self._text = codecs.getincrementaldecoder("utf-8")()

    def add(self, data: bytes) -> None:
        self._bytes.feed_data(data)

    def next_event(self) -> Event | None:
        """The next event in the bytes that were added; None when they hold no whole one. Raises Violation."""
        try:
            while (frame := self._whole_frame()) is not None:
                if (event := self._event(frame)) is not None:
                    return event
        except (ProtocolError, PayloadTooBig, UnicodeDecodeError) as error:
            raise Violation(_in_words(error)) from None
        return None

    def _next_frame(self) -> Generator[None, None, Frame]:
        return Frame.parse(self._bytes.read_exact, mask=True, max_size=self._largest)

    def _whole_frame(self) -> Frame | None:
        try:
            next(self._frame)
        except StopIteration as found:
            self._frame = self._next_frame()
            frame: Frame = found.value
            return frame
        return None

    def _event(self, frame: Frame) -> Event | None:
        payload = bytes(frame.data)
        match frame.opcode:
            case Opcode.PING:
                return Ping(payload)
            case Opcode.PONG:
                return Pong(payload)
            case Opcode.CLOSE:
                return _closed(payload)
            case Opcode.CONT:
                if self._is_text is None:
                    raise Violation("a continuation without a message")
            case _:
                if self._is_text is not None:
                    raise Violation("a new message before the end of another")
                self._is_text = frame.opcode is Opcode.TEXT
        return self._extended(payload, is_last=frame.fin)

    def _extended(self, payload: bytes, *, is_last: bool) -> Message | None:
        self._size += len(payload)
        if self._size > self._largest:
            raise Violation(f"a message of more than {self._largest} bytes")
        if self._is_text:
            self._parts.append(self._text.decode(payload, is_last))
        else:
            self._parts.append(payload)
        return self._whole_message() if is_last else None

    def _whole_message(self) -> Message:
        parts, is_text = self._parts, self._is_text
        self._parts, self._size, self._is_text = [], 0, None
        return "".join(parts) if is_text else b"".join(parts)  # type: ignore[arg-type]  # all of one kind


def _closed(payload: bytes) -> ClientClose:
    if len(payload) == 1:
        raise Violation("a Close frame of one byte")
    return ClientClose(int.from_bytes(payload[:2]), payload[2:].decode()) if payload else ClientClose(None)


def _in_words(error: Exception) -> str:
    return "text that is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


# --- the other direction ----------------------------------------------------------------------------------------------

_FRAGMENT = 4096
"""Bytes of a message in one frame (crates/client-api/src/routes/subscribe.rs in SpacetimeDB 2.8.3)."""


def message_frames(message: Message) -> bytes:
    """A message as the frames of a server."""
    data, opcode = (message.encode(), Opcode.TEXT) if isinstance(message, str) else (message, Opcode.BINARY)
    if len(data) <= _FRAGMENT:
        return _frame(0x80 | opcode, data)
    starts = range(0, len(data), _FRAGMENT)
    last = starts[-1]
    return b"".join(
        _frame((opcode if at == 0 else 0) | (0x80 if at == last else 0), data[at : at + _FRAGMENT]) for at in starts
    )


def ping_frame(payload: bytes = b"") -> bytes:
    return _frame(0x80 | Opcode.PING, payload)


def pong_frame(payload: bytes) -> bytes:
    return _frame(0x80 | Opcode.PONG, payload)


def close_frame(code: int | None, reason: str = "") -> bytes:
    """A reason of more than 123 bytes is sent whole, as by the real server, although no client takes it."""
    return _frame(0x80 | Opcode.CLOSE, b"" if code is None else code.to_bytes(2) + reason.encode("utf-8", "replace"))


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    length = b"\x7e" + size.to_bytes(2) if size < 2**16 else b"\x7f" + size.to_bytes(8)
    return bytes((first,)) + length + payload


def answer_to(close: ClientClose) -> ClientClose:
    """The Close frame that answers one: the same, unless its code may not be sent."""
    if close.code is None or is_close_code(close.code):
        return close
    return ClientClose(1002, "Protocol violation")
