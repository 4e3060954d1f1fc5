"""The errors of Intuition's REST API: the public text and the private reason (sources: docs/fidelity.md)."""

from emulator.core.errors import Refused


class Unauthorized(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(401, text, why)


class KeyMissing(Unauthorized):
    def __init__(self) -> None:
        # The two spaces are on the documentation page.
        super().__init__(
            "`Authorization` header  or Api Key is missing", "neither `x-api-key` nor `Authorization` was sent"
        )


class KeyInvalid(Unauthorized):
    def __init__(self, why: str) -> None:
        super().__init__("`x-api-key` is invalid", why)


class BodyRefused(Refused):
    """A body that is not valid JSON for the operation."""

    def __init__(self, text: str, why: str, status: int = 400) -> None:
        super().__init__(status, text, why)


class BodyTooLarge(BodyRefused):
    def __init__(self, why: str) -> None:
        super().__init__("Failed to buffer the request body: length limit exceeded", why, 413)


class NotJsonContent(BodyRefused):
    def __init__(self, why: str) -> None:
        super().__init__("Expected request with `Content-Type: application/json`", why, 415)


class InvalidPath(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(400, f"Invalid URL: {text}", why)


class InvalidQuery(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(400, f"Failed to deserialize query string: {text}", why)


class NotFound(Refused):
    def __init__(self, why: str) -> None:
        super().__init__(404, "Record not found", why)

    def __str__(self) -> str:
        """For a test that called the handle; the response has `text`."""
        return self.why
