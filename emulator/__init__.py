"""identity-emulator: an in-memory stand-in for SpacetimeDB's and Intuition's identity services.

All names are imported on first use, so `import emulator` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.control.emulator import Emulator
    from emulator.core.errors import Misconfigured
    from emulator.journal.exchange import Exchange
    from emulator.server.run import running, running_in_thread
    from emulator.world.config import Config
    from emulator.world.stubs import StubAnswer

__all__ = ["Config", "Emulator", "Exchange", "Misconfigured", "StubAnswer", "running", "running_in_thread"]

_HOMES = {
    "Config": "emulator.world.config",
    "Emulator": "emulator.control.emulator",
    "Exchange": "emulator.journal.exchange",
    "Misconfigured": "emulator.core.errors",
    "StubAnswer": "emulator.world.stubs",
    "running": "emulator.server.run",
    "running_in_thread": "emulator.server.run",
}


_MODULES = frozenset({"faults", "tokens"})
"""Modules that are attributes of `emulator` without an import of their own."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"emulator.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'emulator' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
