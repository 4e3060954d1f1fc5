"""The errors that both emulated APIs and the command line share."""

from typing import Any


class Refused(Exception):
    """An error response.

    `status` is the HTTP status; `text` is the public message, as the real service sends it; `why` is the private reason
    for the author of a test, which only the journal shows.
    """

    def __init__(self, status: int, text: str, why: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.why = why


class Misconfigured(Exception):
    """Settings that are not valid; the message says what to change."""


class WrongArgument(Misconfigured, ValueError, TypeError):
    """A call with an argument that can't be: its name, what was given, what is taken, and an example.

    `bare` is what is wrong, without what a caller over HTTP does not write: the name of the method, and the example.
    """

    def __init__(self, message: str, bare: str = "") -> None:
        super().__init__(message)
        self.bare = bare or message


def in_any_language(error: Exception) -> str:
    """What an error says to those who do not write Python."""
    return error.bare if isinstance(error, WrongArgument) else str(error)


def is_misconfigured(failure: Any) -> bool:
    """As a module's `__tracebackhide__`, it has pytest leave the module out of the traceback of a Misconfigured."""
    return bool(failure.errisinstance(Misconfigured))
