"""Nobody imports upstairs, and the two APIs don't know each other."""

from pathlib import Path

import pytest

from tests.project.layout import MAY_IMPORT, ONLY, ROOT, floor_of, imports, modules, with_diagram

MODULES = [pytest.param(name, path, id=name) for name, path in modules()]


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_every_module_has_a_floor(name: str, path: Path) -> None:
    assert floor_of(name) is not None, f"{name}: give it a floor in tests/project/layout.py"


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_nobody_imports_upstairs(name: str, path: Path) -> None:
    own = floor_of(name)
    assert own is not None
    upstairs = [
        imported
        for imported in imports(path)
        if (floor := floor_of(imported.removeprefix("emulator."))) is not None
        and imported.startswith("emulator.")
        and floor > own
    ]

    assert upstairs == []


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_neither_api_imports_the_other(name: str, path: Path) -> None:
    neighbour = {"spacetime": "emulator.intuition", "intuition": "emulator.spacetime"}.get(name.partition(".")[0])

    assert not [imported for imported in imports(path) if neighbour and imported.startswith(neighbour)]


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_libraries_stay_on_their_floors(name: str, path: Path) -> None:
    own = floor_of(name)
    assert own is not None
    for imported in imports(path):
        library = imported.partition(".")[0]
        assert own >= MAY_IMPORT.get(library, 0), f"{library} is not for floor {own}"
        assert ONLY.get(library, name) == name, f"{library} is for {ONLY[library]} only"


def test_the_diagram_in_architecture_md_is_drawn_from_the_table() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

    assert page == with_diagram(page), "run: python -m tests.project.layout"
