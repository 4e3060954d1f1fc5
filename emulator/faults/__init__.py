"""Faults as values, and the decision which one has its turn. Their effects happen in `emulator.server`."""

from emulator.faults.catalogue import matrix

__all__ = ["matrix"]
