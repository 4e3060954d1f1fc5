"""Scenarios that are functions, for what a file can't express. They are code, so they can't be sent over HTTP."""

import traceback
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

from emulator.control.emulator import Emulator
from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.scenario.locate import HERE, located
from emulator.world.config import Source, name_of

__tracebackhide__ = is_misconfigured


def run(scenario: Source, emulator: Emulator) -> None:
    """Raises Misconfigured with the function's exception and its line."""
    function = scenario if callable(scenario) else _from_file(scenario)
    try:
        function(emulator)
    except Exception as error:
        raise Misconfigured(f"the scenario {name_of(scenario)} failed: {_error_text(error)}") from error


def _from_file(given: Source) -> Callable[[Emulator], Any]:
    path = located(given, HERE)
    try:
        function = run_path(str(path)).get("scenario")
    except Exception as error:
        raise Misconfigured(f"the scenario {name_of(given)} can't be imported: {_error_text(error)}") from error
    if not callable(function):
        raise Misconfigured(f"{name_of(given)} has no function `def scenario(emulator: Emulator) -> None`")
    return function  # type: ignore[no-any-return]


def _error_text(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"{where} {type(error).__name__}: {error}"
