"""Another scenario is loaded, and resets return to it."""

from pathlib import Path

import pytest

from emulator import Config, Misconfigured
from tests.unit.scenario.support import MOMENT, handle, stage
from tests.worlds import handle_of, world_of


def test_a_plain_reset_goes_back_to_what_was_loaded() -> None:
    found = handle("quickstart")
    found.load("two_friends")
    found.spacetime.rotate_key()
    found.reset()

    assert list(found.actors) == ["alice", "bob"]
    assert found.clock.now() == MOMENT


def test_a_reset_with_a_config_goes_to_that_once() -> None:
    begun = stage("quickstart")
    found = handle_of(begun)
    found.load("two_friends")
    found.reset(Config(scenario="key_rotation", seed=3))
    assert world_of(begun).seed == 3
    found.reset()

    assert world_of(begun).scenario == ("two_friends",)


def test_a_load_that_fails_leaves_the_world(tmp_path: Path) -> None:
    begun = stage("two_friends")
    found = handle_of(begun)
    standing = world_of(begun)
    (tmp_path / "bad.yaml").write_text("version: 1\nsead: 7\n")

    with pytest.raises(Misconfigured, match="sead: unknown key"):
        found.load(tmp_path / "bad.yaml")

    assert world_of(begun) is standing
    found.reset()
    assert world_of(begun).scenario == ("two_friends",)


def test_a_load_reads_the_file_anew_and_a_reset_does_not(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text("version: 1\nspacetime: {identities: {alice: }}\n")
    found = handle(path)
    path.write_text("version: 1\nspacetime: {identities: {bob: }}\n")

    found.reset()
    assert list(found.actors) == ["alice"]
    found.load(path)
    assert list(found.actors) == ["bob"]
    path.write_text("version: 2")
    with pytest.raises(Misconfigured):
        found.load(path)
    found.reset()
    assert list(found.actors) == ["bob"]


def test_a_reset_brings_back_what_the_scenario_gave() -> None:
    begun = stage("two_friends")
    found = handle_of(begun)
    token = found.actors["alice"].token
    found.spacetime.rotate_key()
    found.intuition.revoke_api_key(found.actors["bob"].api_key)
    found.reset()

    assert found.actors["alice"].token == token
    assert world_of(begun).spacetime.read(token)
    assert world_of(begun).intuition.api_key(found.actors["bob"].api_key)
