"""Recorded WebSockets, replayed against any server, and its frames held against the recorded ones."""

import json
import re
import socket
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.conformance.cases import Case, text_of
from emulator.conformance.compare import difference

PATIENCE = 5.0
"""Seconds to wait for a frame, or for the end of a connection."""
PING, PONG = 0x89, 0x8A

Frame = tuple[int, bytes]
"""The first byte, and the payload."""
Address = tuple[str, int]


@dataclass(frozen=True)
class Turn:
    """What the client sends, and what the server then says, without its pings."""

    sent: bytes
    frames: tuple[Frame, ...]
    ends: bool
    """Whether the connection ends then."""


@dataclass(frozen=True)
class Conversation:
    name: str
    request: bytes
    head: bytes
    turns: tuple[Turn, ...]

    @property
    def head_case(self) -> Case:
        return Case(self.name, (), self.head)


def read(path: Path) -> list[Conversation]:
    """The rows with an `exchange`: the head, then in order what each side sent."""
    rows = map(json.loads, text_of(path).splitlines())
    return [_conversation(row) for row in rows if "exchange" in row]


def _conversation(row: Mapping[str, Any]) -> Conversation:
    (_, head), *events = row["exchange"]
    return Conversation(row["name"], b64decode(row["request_b64"]), bytes.fromhex(head), tuple(_turns(events)))


def _turns(events: Iterable[Sequence[Any]]) -> Iterator[Turn]:
    sent, frames = b"", list[Frame]()
    for who, what in events:
        if who == "client":
            if frames or not sent:
                yield Turn(sent, tuple(frames), ends=False)
                sent, frames = b"", []
            sent += bytes.fromhex(what)
        elif what == "EOF":
            yield Turn(sent, tuple(frames), ends=True)
            return
        elif what[0] != PING:
            frames.append((what[0], bytes.fromhex(what[1])))
    yield Turn(sent, tuple(frames), ends=False)


# --- masks ------------------------------------------------------------------------------------------------------------

_JSON = re.compile(
    rb"__time_duration_micros__\":\d+|total_host_execution_duration_micros\":\d+|\"__connection_id__\":\d+"
)
_MINTED = re.compile(rb"[0-9a-f]{64}|eyJ[\w-]+\.[\w-]+\.[\w-]+")


def masked(conversation: Conversation, frame: Frame, *, is_first: bool) -> Frame:
    """Without what is new in each conversation: times; and in the first message, what the client did not bring."""
    first, payload = frame
    if first & 0x0F == 1:
        payload = _JSON.sub(lambda found: found[0].rstrip(b"0123456789"), payload)
        return first, _MINTED.sub(b"<minted>", payload) if _is_anonymous(conversation) else payload
    if first != 0x82:
        return frame
    if is_first:
        return first, _first_message(conversation, payload)
    version = 1 if b"v1.bsatn" in conversation.head else 2
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


def _first_message(conversation: Conversation, payload: bytes) -> bytes:
    """`00`, tag, identity, then in v1 token and connection id, in v2 and v3 the other way round."""
    tag, identity, rest = payload[:2], payload[2:34], payload[34:]
    connection_id, token = (rest[-16:], rest[:-16]) if tag == b"\0\3" else (rest[:16], rest[16:])
    if b"connection_id=" not in conversation.request:
        connection_id = b"<random>"
    if _is_anonymous(conversation):
        identity, token = b"<minted>", b"%d bytes" % len(token)
    return b"|".join((tag, identity, connection_id, token))


def _is_anonymous(conversation: Conversation) -> bool:
    return b"Authorization:" not in conversation.request and b"token=" not in conversation.request


# --- the client -------------------------------------------------------------------------------------------------------


@dataclass
class _Client:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)

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
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.received += data
        return bool(data)


def replayed(address: Address, conversation: Conversation, patience: float = PATIENCE) -> str | None:
    """What differs from the recording, in words; None if it holds."""
    with socket.create_connection(address, timeout=patience) as connection:
        client = _Client(connection)
        connection.sendall(conversation.request)
        try:
            return _head_difference(conversation, client) or _difference(conversation, client)
        except TimeoutError:
            return "nothing comes"


def _head_difference(conversation: Conversation, client: _Client) -> str | None:
    return difference(conversation.head, [client.head()], conversation.head_case.masks)


def _difference(conversation: Conversation, client: _Client) -> str | None:
    for number, turn in enumerate(conversation.turns):
        client.socket.sendall(turn.sent)
        for place, expected in enumerate(turn.frames):
            found = client.frame()
            first = number == place == 0
            if found is None:
                return f"the connection ends, not {expected!r}"
            if masked(conversation, found, is_first=first) != masked(conversation, expected, is_first=first):
                return f"{found!r}, not {expected!r}"
        if turn.ends and (more := client.frame()) is not None:
            return f"{more!r}, not the end"
    return None
