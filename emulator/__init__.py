"""identity-emulator: an in-memory stand-in for SpacetimeDB's and Intuition's identity services.

All names are imported on first use, so `import emulator` is fast.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator import faults, tokens
    from emulator.control.actors import Actor
    from emulator.control.emulator import Address, Emulator
    from emulator.control.faults import Fault
    from emulator.core.errors import Misconfigured, WrongArgument
    from emulator.journal.exchange import Exchange
    from emulator.server.run import running, running_in_thread
    from emulator.world.config import Config, Settings
    from emulator.world.snapshot import Snapshot
    from emulator.world.stubs import StubAnswer

__all__ = [
    "Actor",
    "Address",
    "Config",
    "Emulator",
    "Exchange",
    "Fault",
    "Misconfigured",
    "Settings",
    "Snapshot",
    "StubAnswer",
    "WrongArgument",
    "faults",
    "running",
    "running_in_thread",
    "tokens",
]

_HOMES = {
    "Actor": "emulator.control.actors",
    "Address": "emulator.control.emulator",
    "Config": "emulator.world.config",
    "Emulator": "emulator.control.emulator",
    "Exchange": "emulator.journal.exchange",
    "Fault": "emulator.control.faults",
    "Misconfigured": "emulator.core.errors",
    "Settings": "emulator.world.config",
    "Snapshot": "emulator.world.snapshot",
    "StubAnswer": "emulator.world.stubs",
    "WrongArgument": "emulator.core.errors",
    "running": "emulator.server.run",
    "running_in_thread": "emulator.server.run",
}
_MODULES = frozenset({"faults", "tokens"})
"""Modules that are attributes of `emulator` without an import of their own."""

if not TYPE_CHECKING:  # a type checker that sees it takes every misspelt name for one of any type

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"emulator.{name}")
        if name not in _HOMES:
            from emulator.core.suggestions import did_you_mean

            raise AttributeError(f"module 'emulator' has no attribute {name!r}; {did_you_mean(name, __all__)}")
        return getattr(import_module(_HOMES[name]), name)
