"""Sends a case to a server, on a connection of its own, and reads what it says."""

import json
import re
import socket
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from emulator.conformance.cases import Case, Step
from emulator.conformance.compare import Difference, Response, difference, responses_in
from emulator.conformance.target import Target

SILENCE = 0.2
"""Seconds without a byte that show that the server sends nothing."""
PATIENCE = 0.3
"""Seconds to wait for a response, or for the end of a connection."""
MORE_PATIENCE = 5.0
"""For the second try, so that a busy machine does not decide."""
ALL_PATIENCE = 30.0
"""For all that comes of one case."""
LONGEST = 4 * 1024 * 1024
"""Bytes of a response that are read."""
PROBE = b"GET /is-this-connection-open HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What a server said to a case."""

    case: Case
    responses: tuple[bytes, ...]
    closed: bool | None
    """Whether the server closed the connection; None if the case does not say."""

    @property
    def difference(self) -> Difference | None:
        """What differs from the recording; None if the case holds."""
        if found := difference(self.case.response, self.responses, self.case.masks):
            return found
        if self.ends_as_recorded:
            return None
        return Difference("connection", _ENDS[self.case.closed], _ENDS[self.closed], (b"", b""))

    @property
    def ends_as_recorded(self) -> bool:
        return self.closed == self.case.closed


_ENDS = {True: b"the connection ends", False: b"the connection stays open", None: b""}


def send(target: Target, case: Case, *, patience: float = MORE_PATIENCE) -> Answer:
    """Send one case, and read as many responses as were recorded. Raises OSError if it can't be connected to."""
    with target.connect(patience) as connection:
        return _Exchange(connection, case).answer()


_PLACE = re.compile(rb"<(basic )?(\w+)>")


def filled(request: bytes, before: Sequence[bytes]) -> bytes:
    """A request with the members of the JSON object that the last response has in the places of their names.

    `<token>` is its token, `<basic token>` what `Authorization: Basic` has of it. A member that is not there stays as
    it is written, so that the server's response to that is shown.
    """
    members = _members(Response.of(before[-1]).body) if before else {}

    def member(place: re.Match[bytes]) -> bytes:
        value = members.get(place[2].decode())
        if not isinstance(value, str):
            return place[0]
        return b64encode(f"token:{value}".encode()) if place[1] else value.encode()

    return _PLACE.sub(member, request)


def _members(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class _Exchange:
    def __init__(self, connection: socket.socket, case: Case) -> None:
        self._connection = connection
        self._case = case
        self._recorded = responses_in(case.response)
        self._responses: list[bytes] = []
        self._end_of_patience = time.perf_counter() + ALL_PATIENCE
        self._rest = b""
        """Bytes that came and are in no response yet."""

    def answer(self) -> Answer:
        with suppress(OSError):  # a server may refuse while a big request is still being sent
            for step in self._case.steps:
                self._do(step)
        with suppress(OSError):
            self._read(len(self._recorded))
        closed = None if self._case.closed is None else self._ends()
        rest = (self._rest,) if self._rest and not self._is_websocket else ()
        return Answer(self._case, (*self._responses, *rest), closed)

    def _do(self, step: Step) -> None:
        match step.do:
            case "send":
                self._connection.sendall(step.argument)
            case "fill":
                self._connection.sendall(filled(step.argument, self._responses[-1:]))
            case "wait":
                self._read(step.argument)
            case "sleep":
                time.sleep(step.argument)
            case "shut":
                self._connection.shutdown(socket.SHUT_WR)

    def _read(self, count: int) -> None:
        """Until so many responses came in all, or the connection ended. Raises OSError, also when nothing comes."""
        while len(self._responses) < count and (response := self._response()):
            self._responses.append(response)

    def _response(self) -> bytes | None:
        while b"\r\n\r\n" not in self._rest:
            if not self._receive():
                return None
        body = self._rest.index(b"\r\n\r\n") + 4
        head = self._rest[:body]
        length = self._length_of_body(head)
        while (end := self._end(body, length)) is None:
            if not self._receive():
                return None
        response, self._rest = self._rest[:end], self._rest[end:]
        return response

    def _end(self, body: int, length: int | None) -> int | None:
        """Where the response ends whose body begins at `body`; None if not all of it has come."""
        if length is not None:
            return body + length if len(self._rest) >= body + length else None
        last = self._rest.find(LAST_CHUNK, body)
        return last + len(LAST_CHUNK) if last >= 0 else None

    def _length_of_body(self, head: bytes) -> int | None:
        """As the header says, None for chunks; 0 if the response was recorded without the body that it announces."""
        response = Response.of(head)
        said = response.header(b"content-length") or b"0"
        announced = int(said) if re.fullmatch(rb"\d{1,18}", said) else 0
        number = len(self._responses)
        recorded = Response.of(self._recorded[number]) if number < len(self._recorded) else None
        without = recorded and not recorded.body and recorded.header(b"content-length") not in {None, b"0"}
        to_head = number == 0 and self._case.request.startswith(b"HEAD ")
        if without or to_head:
            return 0
        return None if response.header(b"transfer-encoding") == b"chunked" else announced

    def _receive(self) -> bool:
        """False at the end of the connection, also when it was reset."""
        if len(self._rest) > LONGEST or time.perf_counter() > self._end_of_patience:
            raise TimeoutError("it goes on and on")
        try:
            data = self._connection.recv(65536)
        except TimeoutError:
            raise
        except OSError:  # reset, or cut within TLS
            return False
        self._rest += data
        return bool(data)

    def _ends(self) -> bool:
        if self._case.closed:
            return self._reads_to_the_end()
        if self._recorded and not self._is_websocket:
            return not self._serves_another()
        self._connection.settimeout(SILENCE)
        return self._reads_to_the_end()

    @property
    def _is_websocket(self) -> bool:
        return self._responses[-1:] != [] and self._responses[-1].startswith(b"HTTP/1.1 101 ")

    def _reads_to_the_end(self) -> bool:
        with suppress(TimeoutError):
            while self._receive():
                pass
            return True
        return False

    def _serves_another(self) -> bool:
        """Whether one more request gets a response, which is dropped. What came before it, unasked, is kept."""
        before = len(self._responses)
        with suppress(OSError):
            self._connection.sendall(PROBE)
            self._read(before + 2)
        return len(self._responses) > before and bool(self._responses.pop())
