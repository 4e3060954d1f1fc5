"""What a client sends on a WebSocket is read the same, however it is split into packets; and nothing else happens."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.streams import StreamReader

from emulator.server.framing import ClientClose, Event, Framing, Ping, Pong, Violation, close_frame, message_frames
from tests.websocket import BINARY, CLOSE, PING, PONG, TEXT, masked

LIMIT = 1000

cuts = st.lists(st.integers(0, 3000), max_size=20)
first_bytes = st.integers(0, 255) | st.sampled_from([TEXT, BINARY, CLOSE, PING, PONG, 0x01, 0x02, 0x00, 0x80])
payloads = (
    st.binary(max_size=300) | st.text(max_size=60).map(str.encode) | st.binary(min_size=LIMIT, max_size=LIMIT + 1)
)
keys = st.binary(min_size=4, max_size=4)
any_bytes = st.lists(st.builds(masked, first_bytes, payloads, keys) | st.binary(max_size=20), max_size=6).map(b"".join)


def read(packets: Iterable[bytes]) -> list[Event | str]:
    """The events, and the violation in words, if there is one."""
    framing, found = Framing(LIMIT), list[Event | str]()
    try:
        for packet in packets:
            framing.add(packet)
            while (event := framing.next_event()) is not None:
                found.append(event)
    except Violation as wrong:
        found.append(f"violation: {wrong}")
    return found


def split(stream: bytes, places: list[int]) -> Iterator[bytes]:
    at = [0, *sorted({min(place, len(stream)) for place in places}), len(stream)]
    return (stream[begin:end] for begin, end in pairwise(at))


@given(any_bytes, cuts)
def test_packets_make_no_difference(stream: bytes, places: list[int]) -> None:
    assert read(split(stream, places)) == read([stream])


def fragments(message: str | bytes, places: list[int], key: bytes) -> Iterator[bytes]:
    data, opcode = (message.encode(), 1) if isinstance(message, str) else (message, 2)
    parts = list(split(data, places))
    for number, part in enumerate(parts):
        yield masked((0 if number else opcode) | (0x80 if number == len(parts) - 1 else 0), part, key)


controls = st.one_of(
    st.binary(max_size=125).map(lambda payload: (Ping(payload), masked(PING, payload))),
    st.binary(max_size=125).map(lambda payload: (Pong(payload), masked(PONG, payload))),
)


@given(
    st.lists(st.tuples(st.text(max_size=200) | st.binary(max_size=LIMIT), cuts, keys), max_size=4),
    st.lists(controls, max_size=4),
    cuts,
)
def test_messages_come_as_they_were_sent_with_control_frames_between_their_fragments(
    sent: list[tuple[str | bytes, list[int], bytes]], between: list[tuple[Event, bytes]], places: list[int]
) -> None:
    frames = [frame for message, at, key in sent for frame in fragments(message, at, key)]
    for number, (_, frame) in enumerate(between):
        frames.insert(min(3 * number, len(frames)), frame)

    found = read(split(b"".join(frames), places))

    assert [event for event in found if isinstance(event, str | bytes)] == [message for message, _, _ in sent]
    assert [event for event in found if not isinstance(event, str | bytes)] == [event for event, _ in between]


@given(st.integers(0, 65535), st.text(max_size=40))
def test_a_close_comes_with_code_and_reason(code: int, reason: str) -> None:
    if len(reason.encode()) <= 123:
        assert read([masked(CLOSE, code.to_bytes(2) + reason.encode())]) == [ClientClose(code, reason)]


def parsed(stream: bytes) -> list[Frame]:
    """As a client reads it."""
    reader, found = StreamReader(), []
    reader.feed_data(stream)
    while reader.buffer:
        try:
            next(Frame.parse(reader.read_exact, mask=False))
        except StopIteration as frame:
            found.append(frame.value)
    return found


@given(st.text(max_size=5000) | st.binary(max_size=20_000))
def test_a_client_reads_what_the_server_sends(message: str | bytes) -> None:
    frames = parsed(message_frames(message))

    assert b"".join(frame.data for frame in frames) == (message.encode() if isinstance(message, str) else message)
    assert [frame.fin for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert frames[0].opcode == (1 if isinstance(message, str) else 2)
    assert all(frame.opcode == 0 for frame in frames[1:])
    assert all(len(frame.data) == 4096 for frame in frames[:-1])
    assert len(frames[-1].data) <= 4096


@given(st.integers(1000, 4999), st.text(max_size=30))
def test_a_client_reads_the_close_of_the_server(code: int, reason: str) -> None:
    [frame] = parsed(close_frame(code, reason))

    assert bytes(frame.data) == code.to_bytes(2) + reason.encode()
