"""Faults as values, and the decision which one applies to a request. Their effects happen in `emulator.server`."""

from emulator.faults.fault_matrix import matrix

__all__ = ["matrix"]
