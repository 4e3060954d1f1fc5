"""Scenarios of the command: those it serves, and `identity-emulator scenario`."""

import json
from pathlib import Path

import requests

from tests.cli.command import run, serving
from tests.limits import LIMIT

SCENARIO = "version: 1\nseed: 7\nspacetime: {profile: v2, identities: {alice: , bob: }, crowd: {count: 1200}}\n"


def test_a_scenario_says_what_the_options_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(SCENARIO)
    with serving("--port", "0", "--scenario", str(path)) as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/health", timeout=LIMIT).json()
    with serving("--port", "0", "--scenario", str(path), "--seed", "8", "--spacetime-profile", "v1") as (_, ready):
        other = requests.get(f"{ready['url']}/_emulator/health", timeout=LIMIT).json()

    assert (found["seed"], found["profiles"]["spacetime"]) == (7, "v2.14")
    assert (other["seed"], other["profiles"]["spacetime"]) == (8, "v1")


def test_the_banner_names_actors_and_how_to_get_their_tokens(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(SCENARIO)
    with serving("--port", "0", "--scenario", str(path), "--scenario", "two_friends") as (process, ready):
        process.terminate()
        assert process.stderr
        banner = process.stderr.read()

    assert "  Actors       alice, bob, 1,200 more\n" in banner
    assert f"tokens and keys: curl {ready['url']}/_emulator/actors" in banner
    assert f"--seed 1 --spacetime-profile v2.14 --scenario {path} --scenario two_friends" in banner


def test_scenarios_come_from_the_environment_too() -> None:
    with serving(IDENTITY_EMULATOR_PORT="0", IDENTITY_EMULATOR_SCENARIO="two_friends lost_answer") as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/scenario", timeout=LIMIT).json()

    assert found["scenario"] == ["two_friends", "lost_answer"]


def test_a_python_file_can_be_served(tmp_path: Path) -> None:
    path = tmp_path / "it.py"
    path.write_text("def scenario(emulator):\n    emulator.load('quickstart')\n")
    with serving("--port", "0", "--scenario", str(path)) as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/actors", timeout=LIMIT).json()

    assert list(found["actors"]) == ["alice"]


def test_a_scenario_with_mistakes_does_not_start_a_server(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text("version: 1\nsead: 7\nscript: 5\n")

    assert run("serve", "--port", "0", "--scenario", str(path)) == (
        2,
        f"Error: {path}:2:1 sead: unknown key, did you mean 'seed'?\n{path}:3:9 script: expected a list, got 5\n",
    )


def test_the_bundled_scenarios_are_listed_with_what_they_are_for() -> None:
    status, output = run("scenario", "list")

    assert status == 0
    assert len(output.splitlines()) == 13
    assert "\ntwo_friends              Permissions between users" in output


def test_a_bundled_scenario_is_shown_as_it_is_written() -> None:
    status, output = run("scenario", "show", "two_friends")

    assert (status, output.splitlines()[1]) == (0, "version: 1")
    assert run("scenario", "show", "two_freinds") == (
        2,
        "Error: there is no scenario 'two_freinds'; did you mean 'two_friends'?\n",
    )


def test_validate_tells_all_that_is_wrong_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(SCENARIO)
    (tmp_path / "bad.yaml").write_text("version: 1\nsead: 7\nsead: 7\n")
    good, bad, gone = (str(tmp_path / name) for name in ("good.yaml", "bad.yaml", "gone.yaml"))

    status, output = run("scenario", "validate", good, bad, gone, "two_friends", "it.py")

    assert (status, output.splitlines()) == (
        1,
        [
            f"{good}: valid",
            f"{bad}:2:1 sead: unknown key, did you mean 'seed'?",
            f"{bad}:3:1 sead: duplicate key; first in line 2",
            f"there is no scenario file {gone}, not in {Path().absolute()}",
            "two_friends: valid",
            "it.py: a Python scenario can't be validated, only run",
        ],
    )
    assert run("scenario", "validate", good)[0] == 0


def test_the_schema_is_printed() -> None:
    status, output = run("scenario", "schema")

    assert (status, json.loads(output)["title"]) == (0, "A scenario of identity-emulator")
