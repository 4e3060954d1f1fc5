"""What SpacetimeDB's operations take and answer, in each profile."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.http.response import TEXT
from emulator.services.spacetimedb.model import Profile
from emulator.services.spacetimedb.operations import operations_of

_Hex64 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="64 lower-case hex digits")]
_Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="32 lower-case hex digits")]
_Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$", description="a JWT (ES256)")]
_Pem = Annotated[str, Meta(pattern="^-----BEGIN PUBLIC KEY-----\n")]


class NewIdentity(msgspec.Struct):
    identity: _Hex64
    token: _Token


class WebsocketToken(msgspec.Struct):
    token: _Token


class Addresses(msgspec.Struct):
    """Of databases, in the order they were made."""

    addresses: list[_Hex32]


class Identities(msgspec.Struct):
    """Of databases, in the order they were made."""

    identities: list[_Hex64]


class ServerHealth(msgspec.Struct):
    package_name: str
    version: str
    nodes: list[int]
    schedulable: bool


_IDENTITY = ParameterDoc(
    "identity",
    "64 hex digits, either case",
    Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")],
    "path",
    required=True,
)
_EMAIL = ParameterDoc(
    "email",
    "stored in lower case, in place of an earlier one",
    Annotated[str, Meta(extra_json_schema={"format": "email"})],
    required=True,
    example="alice@example.com",
)

_BAD_PATH = "the path names no identity"
_BAD_TOKEN = ResponseDoc(401, "no token, or one that is not accepted; the text says why", str, TEXT)
_BAD_HEADER = ResponseDoc(400, "`Authorization` can't be read", str, TEXT)


def api_doc(profile: Profile) -> ApiDoc:
    schemes = {**_SCHEMES, **(_BASIC if profile.page else {})}
    return ApiDoc(
        name="spacetime",
        what=f"SpacetimeDB's identity API, profile `{profile.name}`",
        operations=operations_of(profile),
        operation_docs=_operation_docs(profile, tuple(schemes)),
        schemes=schemes,
    )


_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "token": {"type": "apiKey", "in": "query", "name": "token", "description": "looked at without a header only"},
}
_BASIC = {"basic": {"type": "http", "scheme": "basic", "description": "the user is `token`, the password a JWT"}}


def _operation_docs(profile: Profile, tokens: tuple[str, ...]) -> Mapping[str, OperationDoc]:
    # On the documentation page everything wrong with the credentials is a 401.
    bad_credentials = (_BAD_TOKEN,) if profile.page else (_BAD_HEADER, _BAD_TOKEN)
    unreadable = "" if profile.page else f", {_BAD_HEADER.what}"
    return {
        "spacetime.create_identity": OperationDoc(
            summary="A new identity, and a token that never expires",
            responses=(ResponseDoc(200, "credentials and body are not looked at", NewIdentity),),
        ),
        "spacetime.create_websocket_token": OperationDoc(
            summary="A token for 60 seconds",
            responses=(ResponseDoc(200, "for the identity of the token sent", WebsocketToken), *bad_credentials),
            security=tokens,
        ),
        "spacetime.get_public_key": OperationDoc(
            summary="The key that verifies tokens",
            responses=(ResponseDoc(200, "PEM", _Pem, "application/pem-certificate-chain"),),
        ),
        "spacetime.list_databases": OperationDoc(
            summary="The databases of an identity; anyone may ask",
            parameters=(_IDENTITY,),
            responses=(
                ResponseDoc(200, "an unknown identity has none", Addresses if profile.page else Identities),
                ResponseDoc(400, _BAD_PATH, str, TEXT),
            ),
        ),
        "spacetime.verify": OperationDoc(
            summary="Whether a token belongs to an identity",
            parameters=(_IDENTITY,),
            responses=(
                ResponseDoc(204, "it does"),
                ResponseDoc(400, f"{_BAD_PATH}{unreadable}, or the token is another's", str, TEXT, or_empty=True),
                _BAD_TOKEN,
            ),
            security=tokens,
        ),
        "spacetime.ping": OperationDoc(
            summary="Whether the server is there",
            responses=(
                ResponseDoc(200, "credentials are not needed, but bad ones are refused"),
                _BAD_HEADER,
                _BAD_TOKEN,
            ),
            security=("", *tokens),
        ),
        "spacetime.health": OperationDoc(
            summary="What the server is",
            responses=(ResponseDoc(200, "its version and nodes", ServerHealth),),
        ),
        "spacetime.set_email": OperationDoc(
            summary="Give an identity an e-mail address",
            parameters=(_IDENTITY, _EMAIL),
            responses=(
                ResponseDoc(200, "stored"),
                ResponseDoc(400, f"{_BAD_PATH}, or `email` is missing, doubled or no address", str, TEXT),
                ResponseDoc(401, f"{_BAD_TOKEN.what}, or the token is another's", str, TEXT, or_empty=True),
            ),
            security=tokens,
        ),
    }
