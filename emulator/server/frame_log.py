"""Records in the journal what goes over a WebSocket."""

from typing import Literal

from emulator.core.clock import Clock
from emulator.http.upgrade import Message
from emulator.journal.frames import Ended, Frame, Frames, Kind, frame_text
from emulator.journal.journal import Journal

By = Literal["client", "server"]


class FrameLog:
    """The frames of one exchange, and the journal that has it."""

    def __init__(self, journal: Journal, clock: Clock, frames: Frames) -> None:
        self._journal = journal
        self._clock = clock
        self._frames = frames

    def message(self, by: By, message: Message, text: str) -> None:
        size = len(message.encode("utf-8", "replace")) if isinstance(message, str) else len(message)
        self._add(by, "text" if isinstance(message, str) else "binary", text, size)

    def control(self, by: By, kind: Kind, payload: bytes) -> None:
        self._add(by, kind, payload.decode("utf-8", "backslashreplace"), len(payload))

    def close(self, by: By, code: int | None, reason: str) -> None:
        size = 0 if code is None else 2 + len(reason.encode("utf-8", "replace"))
        self._add(by, "close", f"{'' if code is None else code} {reason}".strip(), size)

    def ended(self, ended: Ended) -> None:
        self._journal.end(self._frames, ended)

    def _add(self, by: By, kind: Kind, text: str, size: int) -> None:
        frame = Frame(by, self._clock.micros(), kind, frame_text(text), size)
        self._journal.add_frame(self._frames, frame)
