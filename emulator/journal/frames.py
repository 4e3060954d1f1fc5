"""What went over the WebSocket of an exchange with status 101."""

from collections import deque
from typing import Any, Literal

import msgspec

from emulator.core.clock import parse_rfc3339, rfc3339, to_micros
from emulator.journal.limits import KEPT_FRAMES, KEPT_OF_A_FRAME, KEPT_OF_FRAMES

Kind = Literal["text", "binary", "ping", "pong", "close"]

_OVERHEAD = 200
"""Bytes of memory for a frame, without its text."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A message, however many frames it was sent in, or a control frame.

    `text` is a binary message in words, cut at 4 KiB; of a Close frame its code and reason. `size` counts the bytes of
    the payload. `micros` is the emulator's clock.
    """

    by: Literal["client", "server"]
    micros: int
    kind: Kind
    text: str
    size: int

    @property
    def weight(self) -> int:
        return _OVERHEAD + 4 * len(self.text)

    def __str__(self) -> str:
        shown = f"{self.kind}: {self.text}" if self.text else self.kind
        return f"{'>' if self.by == 'client' else '<'} {shown}"

    def to_json(self) -> dict[str, Any]:
        at = rfc3339(self.micros)
        return {"by": self.by, "at": at, "kind": self.kind, "text": self.text, "size": self.size}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Frame":
        micros = to_micros(parse_rfc3339(found["at"]))
        return cls(found["by"], micros, found["kind"], found["text"], found["size"])


def frame_text(text: str) -> str:
    """As much of a text as a frame keeps."""
    return text[:KEPT_OF_A_FRAME]


class Ended(msgspec.Struct, frozen=True, gc=False):
    """How it ended. Without a Close frame (`cut`) the `reason` is in words, and there is no code.

    A Close frame can have no code, either.
    """

    by: Literal["client", "server"]
    cut: bool
    code: int | None
    reason: str

    def __str__(self) -> str:
        how = "cut" if self.cut else f"closed {self.code if self.code is not None else 'without a code'}"
        return f"{how} by the {self.by}{f': {self.reason}' if self.reason else ''}"


class Frames:
    """The newest frames of an exchange: at most 200 of them, and 64 KiB in all. Dropped ones are counted.

    The journal that holds the exchange adds them, under its lock.
    """

    __slots__ = ("_kept", "dropped", "ended", "is_journaled", "weight")

    def __init__(self) -> None:
        self._kept: deque[Frame] = deque()
        self.dropped = 0
        self.ended: Ended | None = None
        """None while the connection is open."""
        self.weight = 0
        """The approximate bytes of memory this takes."""
        self.is_journaled = False
        """Whether a journal has the exchange still."""

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def kept(self) -> list[Frame]:
        """Oldest first."""
        return list(self._kept)

    def add(self, frame: Frame) -> None:
        self._kept.append(frame)
        self.weight += frame.weight
        while len(self._kept) > KEPT_FRAMES or self.weight > KEPT_OF_FRAMES:
            self.weight -= self._kept.popleft().weight
            self.dropped += 1

    def end(self, ended: Ended) -> None:
        """The first that is said holds."""
        self.ended = self.ended or msgspec.structs.replace(ended, reason=frame_text(ended.reason))

    def has(self, text: str) -> bool:
        """Whether a frame's text has this in it."""
        return any(text in frame.text for frame in self.kept)

    def without_texts(self) -> "Frames":
        """How many there were, and how it ended."""
        counted = Frames()
        counted.dropped, counted.ended = len(self) + self.dropped, self.ended
        return counted

    def to_json(self) -> dict[str, Any]:
        ended = msgspec.to_builtins(self.ended)
        return {"frames": [frame.to_json() for frame in self.kept], "dropped": self.dropped, "ended": ended}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Frames":
        frames = cls()
        for each in found["frames"]:
            frames.add(Frame.from_json(each))
        frames.dropped = found["dropped"]
        frames.ended = found["ended"] and msgspec.convert(found["ended"], Ended)
        return frames


_SHOWN, _SHOWN_OF_A_FRAME = 10, 200
"""Frames, and characters of each, in a report."""


def brief(frames: Frames) -> list[str]:
    """The last frames in a line each, without pings and pongs, and how the connection ended."""
    told = [frame for frame in frames.kept if frame.kind not in {"ping", "pong"}]
    earlier = len(told) + frames.dropped - len(told[-_SHOWN:])
    lines = [f"… {earlier} earlier frames"] if earlier else []
    lines += [_cut(str(frame)) for frame in told[-_SHOWN:]]
    return [*lines, f"ended: {frames.ended}" if frames.ended else "the connection is open"]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_OF_A_FRAME else f"{text[:_SHOWN_OF_A_FRAME]}…"
