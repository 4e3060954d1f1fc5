"""Content addresses: CIDs, base58 and Keccak-256, against other libraries and against recorded ones."""

import sys

import pytest
from base58 import b58encode
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from emulator.services.intuition.content_address import _keccak, _keccak_of_pycryptodome, base58, cid_v0, keccak256
from tests.conftest import data

# --- CIDs and base58 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", data("intuition.json")["cidv0"], ids=lambda row: row["cid"])
def test_a_cid_is_the_one_ipfs_gives(row: dict[str, str]) -> None:
    assert cid_v0(row["utf8"].encode()) == row["cid"]


def test_a_cid_of_bytes_is_the_one_ipfs_gives_for_a_file() -> None:
    # `ipfs add` of a file that says "hello world" and a newline
    assert cid_v0(b"hello world\n") == "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 262_144])
def test_a_cid_has_46_characters_whatever_the_size(size: int) -> None:
    cid = cid_v0(b"x" * size)

    assert len(cid) == 46
    assert cid.startswith("Qm")


@given(st.binary(min_size=1, max_size=80).filter(lambda data: data[0] != 0))
def test_base58_writes_what_the_library_writes(data: bytes) -> None:
    assert base58(data) == b58encode(data).decode()


# --- Keccak-256, whichever library does it ----------------------------------------------------------------------------


@pytest.mark.parametrize("row", data("intuition.json")["keccak256"], ids=lambda row: row["utf8"] or "nothing")
def test_keccak256_is_ethereums(row: dict[str, str]) -> None:
    assert keccak256(row["utf8"].encode()) == row["hex"]


@given(st.binary(max_size=300))
def test_keccak256_equals_that_of_pycryptodome(data: bytes) -> None:
    assert keccak256(data) == keccak.new(digest_bits=256, data=data).hexdigest()


def test_pycryptodome_does_it_where_the_quicker_library_has_no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiny_keccak", None)

    assert _keccak.__wrapped__() is _keccak_of_pycryptodome
    assert _keccak_of_pycryptodome(b"").hex() == keccak256(b"")
