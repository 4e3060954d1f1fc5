"""Recorded WebSockets, replayed against any server, and its frames held against the recorded ones."""

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.conformance.cases import Case, Frame
from emulator.conformance.compare import Difference, difference
from emulator.conformance.replay import ALL_PATIENCE, LONGEST
from emulator.conformance.target import Target

PATIENCE = 5.0
"""Seconds to wait for a frame, or for the end of a connection."""
PING, PONG = 0x89, 0x8A

# --- masks ------------------------------------------------------------------------------------------------------------

_JSON = re.compile(
    rb"__time_duration_micros__\":\d+|total_host_execution_duration_micros\":\d+|\"__connection_id__\":\d+"
)
_MINTED = re.compile(rb"[0-9a-f]{64}|eyJ[\w-]+\.[\w-]+\.[\w-]+")


def masked(case: Case, frame: Frame, *, is_first: bool) -> Frame:
    """Without what is new in each conversation: times; and in the first message, what the client did not bring."""
    first, payload = frame
    if first & 0x0F == 1:
        payload = _JSON.sub(lambda found: found[0].rstrip(b"0123456789"), payload)
        return first, _MINTED.sub(b"<minted>", payload) if _is_anonymous(case) else payload
    if first != 0x82 or len(payload) < 2:
        return frame
    if is_first:
        return first, _first_message(case, payload)
    version = 1 if b"v1.bsatn" in case.response else 2
    start, end = _MICROS.get((version, payload[1]), (0, 0))
    payload = payload[:start] + b"<micros>" * (end > 0) + payload[end:]
    return first, _CONNECTION_ID.sub(b"ConnectionId(<random>)", payload)


_MICROS: Mapping[tuple[int, int], tuple[int, int]] = {
    (1, 0): (10, 18),
    (1, 5): (6, 14),
    (1, 7): (2, 10),
    (1, 8): (6, 14),
    (1, 9): (6, 14),
    (2, 6): (6, 14),
}
"""By version and tag, where a message in BSATN has a duration or a time, if it is without rows."""
_CONNECTION_ID = re.compile(rb"ConnectionId\([0-9a-f]{32}\)")


def _first_message(case: Case, payload: bytes) -> bytes:
    """`00`, tag, identity, then in v1 token and connection id, in v2 and v3 the other way round."""
    tag, identity, rest = payload[:2], payload[2:34], payload[34:]
    connection_id, token = (rest[-16:], rest[:-16]) if tag == b"\0\3" else (rest[:16], rest[16:])
    if b"connection_id=" not in case.request:
        connection_id = b"<random>"
    if _is_anonymous(case):
        identity, token = b"<minted>", b"%d bytes" % len(token)
    return b"|".join((tag, identity, connection_id, token))


def _is_anonymous(case: Case) -> bool:
    return b"Authorization:" not in case.request and b"token=" not in case.request


# --- the client -------------------------------------------------------------------------------------------------------


@dataclass
class _Client:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    end_of_patience: float = field(default_factory=lambda: time.perf_counter() + ALL_PATIENCE)

    def head(self) -> bytes:
        while b"\r\n\r\n" not in self.received:
            if not self._more():
                break
        end = self.received.find(b"\r\n\r\n") + 4
        head = bytes(self.received[:end])
        del self.received[:end]
        return head

    def frame(self) -> Frame | None:
        """The next one that is no ping; None at the end of the connection."""
        while (frame := self._frame()) is not None and frame[0] == PING:
            pass
        return frame

    def _frame(self) -> Frame | None:
        while (size := self._size()) is None or len(self.received) < sum(size):
            if not self._more():
                return None
        start, length = size
        frame = self.received[0], bytes(self.received[start : start + length])
        del self.received[: start + length]
        return frame

    def _size(self) -> tuple[int, int] | None:
        """Bytes of the frame's head, and of its payload."""
        if len(self.received) < 4:
            return (2, 0) if self.received[1:2] == b"\0" else (2, self.received[1]) if len(self.received) >= 2 else None
        short = self.received[1]
        return (2, short) if short < 126 else (4, int.from_bytes(self.received[2:4]))

    def _more(self) -> bool:
        if len(self.received) > LONGEST or time.perf_counter() > self.end_of_patience:
            raise TimeoutError("it goes on and on")
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise
        except OSError:  # reset, or cut within TLS
            return False
        self.received += data
        return bool(data)


def converse(target: Target, case: Case, *, patience: float = PATIENCE) -> Difference | None:
    """Play a case with turns. What differs from the recording; None if it holds. Raises OSError if it can't connect."""
    with target.connect(patience) as connection:
        client = _Client(connection)
        try:
            connection.sendall(case.request)
            return difference(case.response, [client.head()], case.masks) or _difference(case, client)
        except TimeoutError:
            return _frame_difference(b"more", b"nothing")
        except OSError:  # reset while something is sent
            return _frame_difference(b"more", b"the end of the connection")


def _difference(case: Case, client: _Client) -> Difference | None:
    for number, turn in enumerate(case.turns):
        client.socket.sendall(turn.sent)
        for place, frame in enumerate(turn.frames):
            found, first = client.frame(), number == place == 0
            if found is None:
                return _frame_difference(_shown(frame), b"the end of the connection")
            expected, found = (masked(case, each, is_first=first) for each in (frame, found))
            if expected != found:
                return _frame_difference(_shown(expected), _shown(found))
        if turn.ends and (more := client.frame()) is not None:
            return _frame_difference(b"the end of the connection", _shown(more))
    return None


def _frame_difference(expected: bytes, found: bytes) -> Difference:
    return Difference("frame", expected, found, (expected, found))


def _shown(frame: Frame) -> bytes:
    """The first byte in hex, and the payload."""
    return b"%02x %b" % frame
