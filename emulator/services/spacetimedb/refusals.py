"""The errors of SpacetimeDB's API: the public text, byte for byte the server's, and the private reason."""

from typing import Literal

from emulator.core.errors import Refused
from emulator.http.response import TEXT, Response
from emulator.services.rust.debug_format import debug
from emulator.services.spacetimedb.model import Identity
from emulator.services.spacetimedb.releases import Release


class AuthorizationRequired(Refused):
    def __init__(self) -> None:
        super().__init__(401, "Authorization required", "no `Authorization` header and no usable `?token=`")


class MalformedCredentials(Refused):
    def __init__(self, why: str) -> None:
        super().__init__(400, "Authorization is invalid: malformed token", why)


class TokenRefused(Refused):
    """An invalid token. `debug_text` is the public text of servers up to v2.2.0, Rust's Debug format."""

    check = ""
    """The name of the check that failed (`token_validation.CHECKS`)."""

    def __init__(self, text: str, debug_text: str, why: str) -> None:
        super().__init__(401, text, why)
        self.debug_text = debug_text

    def text_in(self, dialect: Literal["debug", "display"]) -> str:
        """The public text in the format of a release."""
        return self.debug_text if dialect == "debug" else self.text

    @property
    def reason(self) -> str:
        """For the journal: the check that failed, and why."""
        return f"{self.check}: {self.why}"


class InvalidToken(TokenRefused):
    """An error kind of the JWT library, such as `InvalidSignature`."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(f"Invalid token: {kind}", f"TokenError(Error({kind}))", why)


class NotBase64(TokenRefused):
    def __init__(self, display: str, debug_form: str, why: str) -> None:
        super().__init__(f"Invalid token: Base64 error: {display}", f"TokenError(Error(Base64({debug_form})))", why)


class NotJson(TokenRefused):
    def __init__(self, message: str, line: int, column: int, why: str) -> None:
        super().__init__(
            f"Invalid token: JSON error: {message} at line {line} column {column}",
            f"TokenError(Error(Json(Error({debug(message)}, line: {line}, column: {column}))))",
            why,
        )


class KeyIdNotFound(TokenRefused):
    """The issuer's keys don't have the `kid` of a token."""

    def __init__(self, why: str) -> None:
        super().__init__("Specified key ID not found in JWKs", "KeyIDNotFound", why)


class ClaimsRefused(TokenRefused):
    """A token whose claims the server does not accept."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text, f"Other({text})", why)


class InvalidPath(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(400, f"Invalid URL: {text}", why)


class InvalidQuery(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(400, f"Failed to deserialize query string: {text}", why)


class HandshakeRefused(Refused):
    """A request to `subscribe` that becomes no WebSocket."""


class OtherIdentity(Refused):
    """A valid token of another identity: 400 from verify, 401 from set-email, always with an empty body."""

    def __init__(self, status: int, caller: Identity, asked: Identity) -> None:
        super().__init__(status, "", f"the token belongs to {caller}, the path names {asked}")


class UnknownDatabase(Refused):
    """A name or an identity that no database has; the text is a rule of the release."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(404, text, why)


class NotAuthorized(Refused):
    """A caller who does not own the database: `Unauthorized` in crates/client-api/src/lib.rs."""

    def __init__(self, caller: Identity, database: Identity, action: str) -> None:
        text = f"{caller} is not authorized to perform action on database {database}: {action}"
        super().__init__(403, text, f"the database belongs to somebody else than {caller}")


class NotAllowed(Refused):
    """What the database, or the route, does not allow."""


class BadBody(Refused):
    """A request to `/v1/database` whose body or `Content-Type` can't be read, as axum says it."""


def describe(profile: Release, refused: Refused) -> Response:
    """An error in SpacetimeDB's format: plain text, or an empty body."""
    text, why = refused.text, refused.why
    if isinstance(refused, TokenRefused):
        text, why = refused.text_in(profile.error_texts), refused.reason
    return Response(refused.status, text.encode(), TEXT if text else "", why=why)
