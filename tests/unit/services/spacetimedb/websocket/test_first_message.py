"""The message by which a client knows that it is connected, and how messages are compressed."""

import zlib

import brotli  # type: ignore[import-untyped]
import pytest

from emulator.services.spacetimedb.websocket import compression
from tests.unit.services.spacetimedb.websocket.sessions import VECTORS, message_of, new_session


@pytest.mark.parametrize("protocol", ["v1.bsatn", "v2.bsatn", "v3.bsatn", "v1.json"])
def test_the_first_message_is_that_of_the_protocol(protocol: str) -> None:
    first = message_of(new_session(protocol).opened())

    assert (first if isinstance(first, str) else first.hex()) == VECTORS["first_message"][protocol]


def test_it_can_be_of_another_identity() -> None:
    other = "c200" + "0e" * 30

    first = message_of(new_session("v2.bsatn").opened_as(other))

    assert first[2:34] == bytes.fromhex(other)[::-1]


# --- compression ------------------------------------------------------------------------------------------------------


def first(token_length: int, chosen: str) -> bytes:
    """Of v1.bsatn: 53 bytes, and the token."""
    message = message_of(new_session("v1.bsatn", token="t" * token_length, compression=chosen).opened())
    assert isinstance(message, bytes)
    return message


@pytest.mark.parametrize("chosen", ["None", "Gzip", "Brotli"])
def test_1024_bytes_are_not_compressed(chosen: str) -> None:
    assert (first(971, chosen)[:2], len(first(971, chosen))) == (b"\0\3", 1025)


def test_1025_bytes_are_sent_as_they_are_if_the_client_wants_no_compression() -> None:
    assert (first(972, "None")[:2], len(first(972, "None"))) == (b"\0\3", 1026)


def test_1025_bytes_become_gzip_with_the_head_of_the_real_server() -> None:
    packed = first(972, "Gzip")

    assert packed[:11].hex() == "021f8b08000000000004ff"
    assert zlib.decompress(packed[1:], 31) == first(972, "None")[1:]


def test_1025_bytes_become_brotli() -> None:
    packed = first(972, "Brotli")

    assert packed[:1] == b"\1"
    assert brotli.decompress(packed[1:]) == first(972, "None")[1:]


def test_without_a_library_for_brotli_nothing_is_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_library", lambda: None)

    assert first(972, "Brotli") == first(972, "None")


@pytest.mark.parametrize("chosen", ["None", "Gzip", "Brotli"])
def test_what_was_packed_can_be_unpacked(chosen: str) -> None:
    message = b"a long message " * 100

    assert compression.unpacked(compression.packed(message, chosen)) == message


@pytest.mark.parametrize("frame", [b"", b"\3x", b"\2x", b"\1x", b"\2\x1f\x8b"])
def test_a_frame_that_is_not_what_its_first_byte_says_is_an_error(frame: bytes) -> None:
    with pytest.raises(ValueError, match="first byte"):
        compression.unpacked(frame)


def test_json_is_never_compressed() -> None:
    assert isinstance(message_of(new_session("v1.json", token="t" * 3000).opened()), str)
