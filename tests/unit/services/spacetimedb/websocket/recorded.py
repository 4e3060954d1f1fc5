"""The recorded WebSockets of tests/data, as messages: frames put together, the connection itself left out."""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from emulator.http.upgrade import Message
from tests.conftest import DATA

PROFILES: Mapping[str, str] = {"v1.12.0-websocket": "v1", "v2.8.3-websocket": "v2.8"}

_CONTINUATION, _TEXT, _BINARY, _CLOSE = 0, 1, 2, 8
_NOTES = ("CHECK", "END", "ping with the same token now")
"""Remarks of whoever recorded."""


class Said(NamedTuple):
    """A message, or a Close of the server: its payload, with a code in two bytes."""

    message: Message
    by_client: bool = False
    close: bool = False


class Recorded(NamedTuple):
    name: str
    profile: str
    protocol: str
    """`v1.bsatn`; empty if the handshake was refused."""
    said: tuple[Said, ...] = ()
    odd: bool = False
    """Whether something else happened: frames that the socket answers or refuses, publishing, an end without Close."""
    frame: Message = b""
    """The first message, where nothing else was kept."""

    @property
    def first(self) -> Message | None:
        """The server's first message."""
        return next((each.message for each in self.said if not each.by_client and not each.close), None)

    @property
    def asked(self) -> list[Message]:
        return [each.message for each in self.said if each.by_client]

    @property
    def answered(self) -> list[Said]:
        """What the server said after its first message."""
        return [each for each in self.said if not each.by_client][1:]


@cache
def recordings() -> list[Recorded]:
    return [row for name in PROFILES for row in _file(name)]


def _file(name: str) -> Iterator[Recorded]:
    with gzip.open(DATA / "recorded" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "frame_hex" in row:
                yield _of_a_frame(row, PROFILES[name])
            else:
                yield _of_frames(row, PROFILES[name])


_PROTOCOLS = {"v1b": "v1.bsatn", "v1j": "v1.json", "v2": "v2.bsatn", "v3": "v3.bsatn"}


def _of_a_frame(row: Any, profile: str) -> Recorded:
    protocol = _PROTOCOLS[row["name"].split()[2]]
    frame = bytes.fromhex(row["frame_hex"])
    return Recorded(row["name"], profile, protocol, frame=frame.decode() if protocol == "v1.json" else frame)


def _of_frames(row: Any, profile: str) -> Recorded:
    said, odd = _messages(_frames(row))
    return Recorded(row["name"], profile, _chosen(row), tuple(said), odd)


def _chosen(row: Any) -> str:
    head = base64.b64decode(row["response_b64"]) if "response_b64" in row else bytes.fromhex(row["exchange"][0][1])
    _, _, rest = head.decode().partition("sec-websocket-protocol: ")
    return rest.partition(".spacetimedb")[0]


class Frame(NamedTuple):
    first_byte: int
    payload: bytes
    by_client: bool = False


def _frames(row: Any) -> Iterator[Frame | None]:
    """None for what is no frame."""
    if "exchange" in row:
        for kind, what in row["exchange"][1:]:
            if kind == "client":
                yield _of_client(bytes.fromhex(what))
            else:
                yield Frame(what[0], bytes.fromhex(what[1])) if isinstance(what, list) else None
        return
    handshake = b" 101 " in base64.b64decode(row["response_b64"])[:20]
    for event in row["frames"] if handshake else ():
        if event[0] in _NOTES:
            continue
        whole = event[0] in ("<", ">") and set(event[3]) <= set("0123456789abcdef")
        yield Frame(event[2] | 0x80, bytes.fromhex(event[3]), by_client=event[0] == ">") if whole else None


def _of_client(raw: bytes) -> Frame | None:
    """None without a mask; the masks are zeros."""
    length, start = raw[1] & 0x7F, 2
    if length == 126:
        length, start = int.from_bytes(raw[2:4]), 4
    return Frame(raw[0], raw[start + 4 :], by_client=True) if raw[1] & 0x80 else None


def _messages(frames: Iterable[Frame | None]) -> tuple[list[Said], bool]:
    said: list[Said] = []
    odd, begun, opcode = False, b"", 0
    for frame in frames:
        closed = any(each.close for each in said)
        if frame is None:
            odd = odd or not closed
            continue
        this, final = frame.first_byte & 0x0F, frame.first_byte >> 4 == 8
        if this == _CLOSE and not frame.by_client:
            said.append(Said(frame.payload, close=True))
        elif this in (_TEXT, _BINARY, _CONTINUATION):
            odd = odd or (this == _CONTINUATION and not begun)
            opcode, begun = this or opcode, begun + frame.payload
            if final:
                said.append(Said(_text(begun) if opcode == _TEXT else begun, frame.by_client))
                begun = b""
        else:
            odd = odd or (frame.by_client and not _is_pong(frame) and not closed)
    return said, odd or bool(begun)


def _is_pong(frame: Frame) -> bool:
    return frame.first_byte == 0x8A and not frame.payload


def _text(payload: bytes) -> Message:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload
