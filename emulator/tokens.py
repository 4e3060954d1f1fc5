"""Broken tokens by name, for parametrised tests: `emulator.tokens.broken()`."""

from emulator.control.broken_tokens import IDENTITY, SUBJECT, BrokenToken, broken

__all__ = ["IDENTITY", "SUBJECT", "BrokenToken", "broken"]
