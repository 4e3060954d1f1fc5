"""Functions and Python files as scenarios."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulator import Emulator
from tests.unit.scenario.support import refused, stage, world
from tests.worlds import handle_of, make_stage, world_of


def months(emulator: Emulator) -> None:
    emulator.load("two_friends")
    emulator.intuition.create_identity(display_name="Day", creator="0x81")
    emulator.clock.advance(60)


def test_a_function_runs_once_for_all_worlds() -> None:
    made: list[Emulator] = []

    def once(emulator: Emulator) -> None:
        made.append(emulator)
        months(emulator)

    begun = stage(once)
    found = handle_of(begun)
    for _ in range(3):
        found.reset()
        found.intuition.create_identity(display_name="More", creator="0x81")

    assert len(made) == 1
    assert len(found.intuition.identities) == 4
    assert list(found.actors) == ["alice", "bob"]
    assert world_of(begun).scenario == ("once",)


def test_a_function_works_on_the_documents_below_it() -> None:
    def more(emulator: Emulator) -> None:
        assert emulator.actors["alice"].token
        emulator.faults.add("POST /identity", nth=1, status=503)

    begun = stage(("lost_answer", "quickstart", more), seed=5)
    found = handle_of(begun)

    assert len(found.faults) == 3
    assert world_of(begun).seed == 5


def test_what_a_function_does_to_the_clock_stays() -> None:
    def later(emulator: Emulator) -> None:
        emulator.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
        emulator.faults.add(at=10, rotate_key=True)

    begun = make_stage(scenario=later)

    assert world_of(begun).clock.now() == datetime(2030, 1, 1, tzinfo=UTC)
    world_of(begun).clock.advance(9)
    assert world_of(begun).faults.timed
    world_of(begun).clock.advance(1)
    assert not world_of(begun).faults.timed


def test_a_python_file_is_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "month.py"
    path.write_text("def scenario(emulator):\n    emulator.load('two_friends')\n")

    assert len(world(path).actors) == 2
    assert world(str(path)).scenario == ("month.py",)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "it.py has no function `def scenario(emulator: Emulator) -> None`"),
        ("import nothing_of_the_kind", "it.py can't be imported: it.py:1 ModuleNotFoundError: No module named"),
        ("def scenario(emulator):\n    emulator.load('nobody')", "it.py failed: "),
        ("def scenario(emulator):\n    1 / 0", "it.py failed: it.py:2 ZeroDivisionError: division by zero"),
        ("def scenario(emulator:", "it.py can't be imported: "),
    ],
)
def test_a_python_file_that_fails_is_reported_with_its_line(tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "it.py").write_text(code)

    assert message in refused(tmp_path / "it.py")
