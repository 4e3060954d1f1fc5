"""A connection after its upgrade: reads and writes the frames of a session, with the real server's pings and ends.

As in SpacetimeDB 2.8.3 (crates/client-api/src/routes/subscribe.rs; docs/fidelity.md, WebSockets).
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from functools import partial

from aiohttp.web_protocol import RequestHandler

from emulator.core.close_frame import INTERNAL_ERROR, SESSION_TAKEN
from emulator.http.upgrade import Close, Cut, Intervals, Message, Output, Send, Upgrade
from emulator.journal.frames import Ended
from emulator.server.frame_log import FrameLog
from emulator.server.framing import (
    ClientClose,
    Event,
    Framing,
    Ping,
    Pong,
    Violation,
    answer_to,
    close_frame,
    message_frames,
    ping_frame,
    pong_frame,
)
from emulator.world.connections import OpenConnection
from emulator.world.world import World

logger = logging.getLogger("emulator")

_BUG = "a bug in identity-emulator; its log has the traceback"


class State(Enum):
    OPEN = "messages are answered"
    CLOSING = "the server has sent a Close frame; it waits for the client's"
    SILENT = "nothing came for too long; the next byte of the client ends the connection"
    ENDED = "the TCP connection was closed"


class WebSocket:
    """What aiohttp feeds with the bytes that follow the upgrade (`set_parser`). All of it runs in the loop.

    A frame is recorded before it is sent, so that a client with the frame finds it in the journal.
    """

    def __init__(self, connection: RequestHandler, upgrade: Upgrade, log: FrameLog, intervals: Intervals) -> None:
        assert connection.transport is not None
        self._connection = connection
        self._transport = connection.transport
        self._session = upgrade.session
        self._later = upgrade.later
        self._log = log
        self._intervals = intervals
        self._over: Callable[[], None] = _nothing
        """Called once, when messages are no longer answered."""
        self._framing = Framing(upgrade.largest_message)
        self._loop = asyncio.get_running_loop()
        self.state = State.OPEN
        self._pong_is_due = self._reading_paused = False
        self._unsent: bytearray | None = None
        """What is sent together; None when everything is sent at once."""
        self._heard = self._loop.time()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def _open(self) -> None:
        """Send the first message, and a ping."""
        self._do(self._session.opened)
        self._ping()
        self._wait_for_a_byte(self._intervals.silence)
        if self._later is not None and self.state is State.OPEN:
            self._timers["later"] = self._loop.call_later(self._later.seconds, self._do, self._later.outputs)

    def open_for(self, world: World, since: int, actor: str, head: bytes) -> None:
        """Send the head and what else comes unasked, as a connection of this world as long as messages are answered.

        One packet for all of it halves the CPU of a connection. Clients must expect that: packets can always be joined.
        """
        connection = self._as_connection(world, since, actor)
        self._over = partial(world.connections.remove, connection)
        is_added = world.connections.add(connection)
        self._unsent = bytearray(head)
        if is_added:
            self._open()
        else:
            self.close(SESSION_TAKEN, "")
        self._flush()

    def _as_connection(self, world: World, since: int, actor: str) -> OpenConnection:
        session = self._session
        return OpenConnection(
            id=session.connection_id,
            identity=session.identity,
            database=session.database,
            protocol=session.subprotocol,
            since=since,
            actor=actor or world.actors.name_of(identity=session.identity),
            session_id=session.session_id,
            close=partial(_from_any_thread, self._loop, self.close),
            cut=partial(_from_any_thread, self._loop, self._cut, "another connection has the same session"),
        )

    # --- from the client ----------------------------------------------------------------------------------------------

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """aiohttp's interface: the end of the protocol, and what follows it. There is neither."""
        self._heard = self._loop.time()
        if self.state is State.SILENT:
            self._end()
        elif self.state is not State.ENDED:
            self._framing.add(data)
            self._read()
        return False, b""

    def feed_eof(self) -> None:
        """The connection is lost."""
        self._log.ended(Ended("client", cut=True, code=None, reason="the connection ended"))
        self._stop(State.ENDED)

    def writable(self) -> None:
        """The client has read what was sent."""
        self._read()

    def _read(self) -> None:
        """Handle what came, but no more than the client reads of the answers."""
        try:
            while self.state in {State.OPEN, State.CLOSING} and not self._connection.writing_paused:
                if (event := self._framing.next_event()) is None:
                    break
                self._received(event)
        except Violation as wrong:
            self._cut(str(wrong))
        self._pause_or_go_on()

    def _pause_or_go_on(self) -> None:
        pause = self._connection.writing_paused and self.state in {State.OPEN, State.CLOSING}
        if self._transport.is_closing():
            return
        if pause:
            self._transport.pause_reading()
        elif self._reading_paused:
            self._heard = self._loop.time()
            self._transport.resume_reading()
        self._reading_paused = pause

    def _received(self, event: Event) -> None:
        match event:
            case Ping(payload):
                self._log.control("client", "ping", payload)
                if self.state is State.OPEN:
                    self._log.control("server", "pong", payload)
                    self._write(pong_frame(payload))
            case Pong(payload):
                self._log.control("client", "pong", payload)
                self._pong_is_due = False
            case ClientClose():
                self._client_closes(event)
            case _:
                self._log.message("client", event, self._in_words(event, by_client=True))
                if self.state is State.OPEN:
                    self._do(lambda: self._session.received(event))

    def _client_closes(self, close: ClientClose) -> None:
        self._log.close("client", close.code, close.reason)
        if self.state is State.OPEN:
            answer = answer_to(close)
            self._send_close(answer.code, answer.reason)
            self._log.ended(Ended("client", cut=False, code=close.code, reason=close.reason))
        self._end()

    # --- to the client ------------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str) -> None:
        """Send a Close frame, unless it is too late for one. The connection ends when the client answers."""
        if self.state is State.OPEN:
            self._send_close(code, reason)
            self._log.ended(Ended("server", cut=False, code=code, reason=reason))
            self._stop(State.CLOSING)

    def abort(self) -> None:
        """End the connection now, also when the client does not read what was sent."""
        self._stop(State.ENDED)
        self._transport.abort()

    def _do(self, outputs: Callable[[], Iterable[Output]]) -> None:
        """Do what the session wants. A bug in it closes the connection."""
        try:
            for output in outputs():
                self._put(output)
                if self.state is not State.OPEN:
                    break
        except Exception:
            logger.exception("a bug in identity-emulator in a session of %s", self._session.subprotocol)
            self.close(INTERNAL_ERROR, _BUG)

    def _put(self, output: Output) -> None:
        match output:
            case Send(data):
                frames = message_frames(data)
                self._log.message("server", data, self._in_words(data, by_client=False))
                self._write(frames)
            case Close(code, reason):
                self.close(code, reason)
            case Cut():
                self._cut("")

    def _write(self, data: bytes) -> None:
        if self._unsent is None:
            self._transport.write(data)
        else:
            self._unsent += data

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, None
        if unsent:
            self._transport.write(unsent)

    def _in_words(self, message: Message, *, by_client: bool) -> str:
        if isinstance(message, str):
            return message
        try:
            return self._session.text_of(message, by_client=by_client)
        except Exception:
            logger.exception("a bug in identity-emulator in a session of %s", self._session.subprotocol)
            return ""

    def _send_close(self, code: int | None, reason: str) -> None:
        frame = close_frame(code, reason)
        self._log.close("server", code, reason)
        self._write(frame)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _ping(self) -> None:
        if self.state is not State.OPEN:
            return
        self._timers["ping"] = self._loop.call_later(self._intervals.ping, self._ping)
        if not self._pong_is_due:
            self._pong_is_due = True
            self._log.control("server", "ping", b"")
            self._write(ping_frame())

    def _wait_for_a_byte(self, seconds: float) -> None:
        if self.state is State.OPEN:
            self._timers["silence"] = self._loop.call_later(seconds, self._look_for_silence)

    def _look_for_silence(self) -> None:
        left = self._heard + self._intervals.silence - self._loop.time()
        if self._reading_paused:
            left = self._intervals.silence
        if left > 0:
            self._wait_for_a_byte(left)
            return
        reason = f"nothing came for {self._intervals.silence:g} s"
        self._log.ended(Ended("server", cut=True, code=None, reason=reason))
        self._stop(State.SILENT)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _cut(self, why: str) -> None:
        self._log.ended(Ended("server", cut=True, code=None, reason=why))
        self._end()

    def _end(self) -> None:
        """End the TCP connection, after what was written."""
        self._flush()
        self._stop(State.ENDED)
        self._transport.close()

    def _stop(self, state: State) -> None:
        was, self.state = self.state, state
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if was is State.OPEN:
            self._over()
            self._over = _nothing  # or it would be a circle, which only the garbage collector frees


def _nothing() -> None: ...


def _from_any_thread(loop: asyncio.AbstractEventLoop, do: Callable[..., None], *arguments: int | str) -> None:
    with suppress(RuntimeError):  # the loop was closed
        loop.call_soon_threadsafe(do, *arguments)
