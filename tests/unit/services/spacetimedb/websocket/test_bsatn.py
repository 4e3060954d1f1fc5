"""SpacetimeDB's binary format; errors as recorded from 1.12.0 and 2.8.3, or read in crates/sats/src/buffer.rs."""

from typing import Any

import pytest

from emulator.services.spacetimedb.websocket import bsatn, sats
from emulator.services.spacetimedb.websocket.bsatn import DecodeError, Reader
from emulator.services.spacetimedb.websocket.messages import V1_SERVER_BSATN, V2_CLIENT, V2_SERVER, v1_client
from emulator.services.spacetimedb.websocket.sats import MOST_ITEMS, TooMany
from tests.unit.services.spacetimedb.websocket.sessions import VECTORS

V1_CLIENT = v1_client(sats.BYTES, "QueryId")


def wrong(message: str, of: sats.Type = V2_CLIENT) -> str:
    with pytest.raises(DecodeError) as caught:
        bsatn.decode(of, Reader(bytes.fromhex(message)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("", "data too short for u8: Expected 1, given 0"),
        ("0001", "data too short for u32: Expected 4, given 1"),
        ("0001000000070000000200000000000000", "data too short for u32: Expected 4, given 0"),
        ("02010000000500000041", "data too short for [u8]: Expected 5, given 1"),
        ("020100000001000000ff", "invalid utf8"),
        ("06", "unknown tag 0x6 for sum type ClientMessage"),
        ("01010000006300000002", "unknown tag 0x2 for sum type UnsubscribeFlags"),
        ("030100000001", "invalid call reducer flag 1"),
        ("040100000001", "invalid call procedure flag 1"),
    ],
)
def test_an_error_is_in_the_words_of_the_server(message: str, error: str) -> None:
    assert wrong(message) == error


def test_v1_has_two_flags_of_reducers() -> None:
    assert wrong("00000000000000000001000000ff", V1_CLIENT) == "invalid call reducer flag 255"


@pytest.mark.parametrize(
    ("of", "value", "written"),
    [
        (sats.U16, 258, "0201"),
        (sats.I64, -2, "fe" + "ff" * 7),
        (sats.U128, 1, "01" + "00" * 15),
        (sats.STRING, "é", "02000000c3a9"),
        (sats.BYTES, b"\1\2", "020000000102"),
        (sats.Array(sats.U8), [1, 2], "020000000102"),
        (sats.Option(sats.U8), 7, "0007"),
        (sats.Option(sats.U8), None, "01"),
        (sats.UNIT, {}, ""),
        (sats.IDENTITY, {"__identity__": 0xC200 << 240}, "00" * 30 + "00c2"),
    ],
)
def test_a_value_is_written_and_read(of: sats.Type, value: Any, written: str) -> None:
    assert bsatn.encode(of, value).hex() == written
    assert bsatn.decode(of, Reader(bytes.fromhex(written))) == value


FRAMES = {
    name: (V1_SERVER_BSATN if name.startswith("v1") else V2_SERVER, bytes.fromhex(frame)[1:])
    for name, frame in VECTORS["server_frames"].items()
    if not name.startswith("v1.json")
}


@pytest.mark.parametrize("name", FRAMES)
def test_messages_of_the_server_are_read_as_they_are_written(name: str) -> None:
    of, message = FRAMES[name]
    reader = Reader(message)

    values = []
    while not reader.at_end:
        values.append(bsatn.decode(of, reader))

    assert b"".join(bsatn.encode(of, value) for value in values) == message


def test_a_batch_of_subscriptions_has_the_released_layout() -> None:
    """Run with the crate of 2.14.0."""
    rows = {"query_set_id": {"id": 9}, "result": ("ok", {"tables": ()})}
    error = {"query_set_id": {"id": 9}, "result": ("err", "x")}

    written = [
        bsatn.encode(V2_SERVER, ("SubscribeBatchApplied", {"request_id": 7, "query_sets": [each]})).hex()
        for each in (rows, error)
    ]

    assert written == ["080700000001000000090000000000000000", "08070000000100000009000000010100000078"]


def test_no_more_items_are_read_than_a_frame_may_have() -> None:
    of = sats.Array(sats.U8)

    def read(count: int) -> list[int]:
        items: list[int] = bsatn.decode(of, Reader(count.to_bytes(4, "little") + bytes(count)))
        return items

    assert len(read(MOST_ITEMS)) == MOST_ITEMS
    with pytest.raises(TooMany):
        read(MOST_ITEMS + 1)
