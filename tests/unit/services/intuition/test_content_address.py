"""Keccak-256, whichever library does it."""

import sys

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from emulator.intuition.model import _keccak, _keccak_of_pycryptodome, keccak256


@given(st.binary(max_size=300))
def test_it_is_what_pycryptodome_says(data: bytes) -> None:
    assert keccak256(data) == keccak.new(digest_bits=256, data=data).hexdigest()


def test_pycryptodome_does_it_where_the_quicker_library_has_no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiny_keccak", None)

    assert _keccak.__wrapped__() is _keccak_of_pycryptodome
    assert _keccak_of_pycryptodome(b"").hex() == keccak256(b"")
