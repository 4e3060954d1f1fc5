"""Broken tokens by name, for parametrised tests: `emulator.tokens.broken()`."""

from emulator.control.broken_tokens import FOREIGN_ISSUER, IDENTITY, SUBJECT, BrokenToken, broken

__all__ = ["FOREIGN_ISSUER", "IDENTITY", "SUBJECT", "BrokenToken", "broken"]
