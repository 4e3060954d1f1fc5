"""`emulator` and `conftest_plugin`: the two names of this package that a project may have too, and who has them.

A pytest plugin of its own, so that something can be said where a project's conftest_plugin.py was imported as the
plugin. Only pytest is imported.
"""

from __future__ import annotations

import os
import sys

import pytest

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - it is run at the start of every session
_MARK = os.path.basename(__file__)  # noqa: PTH119
"""A file that lies beside both, in a repository and where the package is installed."""


def _is_ours(folder: str) -> bool:
    # A fake file system may hide ours.
    return os.path.abspath(folder) == _HERE or os.path.isfile(os.path.join(folder, _MARK))  # noqa: PTH100, PTH113, PTH118


def found_elsewhere(name: str) -> str | None:
    """The first file on the path that is imported by this name, where we are not."""
    for entry in sys.path:
        folder = entry or os.curdir
        for file in (os.path.join(folder, f"{name}.py"), os.path.join(folder, name, "__init__.py")):  # noqa: PTH118
            if not _is_ours(folder) and os.path.isfile(file):  # noqa: PTH113
                return os.path.abspath(file)  # noqa: PTH100
    return None


def imported_instead(name: str) -> str | None:
    """The file that is, or would be, imported by this name in place of ours."""
    module = sys.modules.get(name)
    if module is None:
        from importlib.util import find_spec

        spec = find_spec(name)
        file = None if spec is None else spec.origin
    else:
        file = getattr(module, "__file__", None)
    if file is None:
        return None
    folder = os.path.dirname(os.path.abspath(file))  # noqa: PTH100, PTH120
    return None if _is_ours(folder if name == "conftest_plugin" else os.path.dirname(folder)) else file  # noqa: PTH120


def in_our_place(name: str, theirs: str) -> str:
    """What to say where another file was imported in place of ours."""
    return (
        f"identity-emulator: {theirs} was imported as `{name}`, in place of the one in {_HERE}. identity-emulator "
        "needs the names `emulator` and `conftest_plugin`: rename yours; or keep its folder off sys.path, which "
        "has it from `python -m pytest` (run `pytest`), from PYTHONPATH, from `pythonpath` in the ini file, "
        "or from a conftest.py beside it (use --import-mode=importlib)"
    )


def in_their_place(theirs: str, ours: str) -> str:
    """What to say where ours keeps another plugin from being imported."""
    return (
        f"identity-emulator: the plugin {ours} is loaded as `conftest_plugin`, so {theirs} can't be imported by that "
        "name any more: rename yours, or uninstall identity-emulator"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Stand in for the plugin, if another file was imported as `conftest_plugin`."""
    blocked = config.pluginmanager.is_blocked("conftest_plugin")
    theirs = None if blocked else imported_instead("conftest_plugin")
    if theirs and config.pluginmanager.has_plugin("conftest_plugin"):
        config.pluginmanager.register(_StandIn(in_our_place("conftest_plugin", theirs)), "identity_emulator_stand_in")


class _StandIn:
    """The plugin's fixtures, each of which fails its test and says why."""

    def __init__(self, message: str) -> None:
        self._message = message

    def pytest_report_header(self) -> str:
        return self._message

    def _fail(self) -> None:
        pytest.fail(self._message, pytrace=False)

    @pytest.fixture
    def identity_emulator(self) -> None:
        self._fail()

    @pytest.fixture
    def make_identity_emulator(self) -> None:
        self._fail()

    @pytest.fixture(scope="session")
    def identity_emulator_server(self) -> None:
        self._fail()

    @pytest.fixture(scope="session")
    def identity_emulator_factory(self) -> None:
        self._fail()

    @pytest.fixture
    def identity_emulator_client(self) -> None:
        self._fail()
