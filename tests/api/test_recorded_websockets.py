"""The recorded handshakes of `subscribe` hold whole, and of what follows all that shows no module, over the socket."""

import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator import Config, Emulator, running_in_thread
from emulator.conformance.cases import table
from emulator.conformance.target import Target
from emulator.conformance.websockets import converse
from tests.conftest import data, write_key_pair
from tests.recorded_rows import conversations, read
from tests.recordings import RECORDED, not_shipped
from tests.replaying import THREADS, replay, target_of

OWNER = "c20035600353a2e93544d898c6ed0eac323e200c0468300f22958f8b472a265d"
DATABASES = {
    "alpha": "c200622995ae9edec284eb74117c02566789079a4e8722c9683679b92fd86e93",
    "beta": "c2001dbbe4cccc9e2a686e90839647e412b0aabd417d81ec73c408255fa75815",
    "gamma": "c2005d7a3c8763b83f64a562697e85a68eb65093fbc7cb206d7c832e357ca656",
    "delta": "c20088d178e436c945a9757e8e344d9796155f3f0c4abb9dac7d3014a2ff3f6a",
    "epsilon": "c2001e57180d9ebafbbfb97d67a1186072e5e98e0b9deb80ab08f80d6c1e4db2",
    "zeta": "c200a340c8396fce17eeca6148dd8710b9ce390bdafaf20a1f85f38fe5c83b57",
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with recorded_server("v2.8") as emulator:
        yield emulator


@contextmanager
def recorded_server(profile: str) -> Iterator[Emulator]:
    """With the key and the databases of the recordings."""
    with tempfile.TemporaryDirectory() as folder:
        private, public = write_key_pair(Path(folder), int(data("test_key.json")["scalar"]))
        config = Config(spacetime_profile=profile, jwt_priv_key_path=private, jwt_pub_key_path=public)
        with running_in_thread(config) as emulator:
            for name, identity in DATABASES.items():
                emulator.spacetime.add_database(OWNER, name, identity)
            yield emulator


@pytest.fixture(scope="module")
def target(emulator: Emulator) -> Target:
    return target_of(emulator.url)


def test_every_handshake_is_the_recorded_one(emulator: Emulator, target: Target) -> None:
    recorded = read(RECORDED / "v2.8.3-handshake.jsonl.gz")
    outcomes = replay(target, not_shipped(recorded, "v2.8"), emulator.clock.freeze)
    emulator.clock.resume()

    assert len(recorded) == 86
    assert {each.case.name: each.difference for each in outcomes if each.difference} == {}


SHOWS_A_MODULE = re.compile(
    r"rejecting$|subscribe person$|subscribe nope$|two queries, two sets$|one-off$|reducers$|lifecycle by hand$"
    r"|private of bob$|multi person$|v1b subscribe$|single$|multi nope$|light add$|v1j subscribe$|v1j multi$"
)
"""Rows with a table, a reducer or a `client_connected` of the recorded databases."""


def test_every_conversation_is_the_recorded_one_but_those_that_show_a_module(target: Target) -> None:
    recorded = conversations(RECORDED / "v2.8.3-websocket.jsonl.gz")

    frames = {case.name for case in table("v2.8").cases if case.group == "frames"}
    played = [case for case in recorded if case.name not in frames]
    with ThreadPoolExecutor(THREADS) as threads:
        differences = threads.map(lambda each: converse(target, each), played)
    differing = {each.name: wrong for each, wrong in zip(played, differences, strict=True) if wrong}

    assert len(recorded) == 143
    assert {name: wrong for name, wrong in differing.items() if not SHOWS_A_MODULE.search(name)} == {}
    assert len(differing) == 32
