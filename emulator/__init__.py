"""identity-emulator: an in-memory stand-in for SpacetimeDB's and Intuition's identity services.

`from emulator import running_in_thread` is all a test needs; everything heavy is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.config import Config
    from emulator.errors import Misconfigured
    from emulator.exchange import Exchange
    from emulator.handle import Emulator
    from emulator.server import running, running_in_thread

__all__ = ["Config", "Emulator", "Exchange", "Misconfigured", "running", "running_in_thread"]

_HOMES = {
    "Config": "emulator.config",
    "Emulator": "emulator.handle",
    "Exchange": "emulator.exchange",
    "Misconfigured": "emulator.errors",
    "running": "emulator.server",
    "running_in_thread": "emulator.server",
}


_MODULES = frozenset({"faults", "tokens"})
"""Found as `emulator.faults` without an import of their own."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"emulator.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'emulator' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
