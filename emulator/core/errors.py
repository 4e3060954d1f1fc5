"""What every refusal has in common."""

from typing import Any


class Refused(Exception):
    """A request that gets an answer other than the one it asked for.

    `status` is the HTTP status; `text` is what the real service says on the wire; `why` is what a test author needs to
    know, and goes to the journal only.
    """

    def __init__(self, status: int, text: str, why: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.why = why


class Misconfigured(Exception):
    """The emulator was asked to be something it can't be; the message says what to change."""


def is_misconfigured(failure: Any) -> bool:
    """As a module's `__tracebackhide__`: pytest leaves the module out when the message says it all."""
    return bool(failure.errisinstance(Misconfigured))
