"""Faults as values, and the decision which one applies to a request. Their effects happen in `emulator.server`."""

from emulator.faults.catalogue import matrix

__all__ = ["matrix"]
