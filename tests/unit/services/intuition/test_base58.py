"""Our own base58 says what the library says."""

from base58 import b58encode
from hypothesis import given
from hypothesis import strategies as st

from emulator.intuition.model import base58, cid_v0


@given(st.binary(min_size=1, max_size=80).filter(lambda data: data[0] != 0))
def test_it_writes_what_the_library_writes(data: bytes) -> None:
    assert base58(data) == b58encode(data).decode()


def test_a_cid_is_the_one_ipfs_gives() -> None:
    # `ipfs add` of a file that says "hello world" and a newline
    assert cid_v0(b"hello world\n") == "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"
