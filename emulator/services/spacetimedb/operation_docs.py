"""The OpenAPI documentation of SpacetimeDB's operations, for each profile."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.http.response import TEXT
from emulator.services.spacetimedb.database import operation_docs as database
from emulator.services.spacetimedb.operations import operations_of
from emulator.services.spacetimedb.releases import Release

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
    """Addresses of databases, in order of creation."""

    addresses: list[_Hex32]


class Identities(msgspec.Struct):
    """Identities of databases, in order of creation."""

    identities: list[_Hex64]


class ServerHealth(msgspec.Struct):
    package_name: str
    version: str
    nodes: list[int]
    schedulable: bool


_IDENTITY = ParameterDoc(
    "identity", "64 hex digits, either case", Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")], "path", required=True
)
_EMAIL = ParameterDoc(
    "email",
    "stored in lower case; replaces an earlier one",
    Annotated[str, Meta(extra_json_schema={"format": "email"})],
    required=True,
    example="alice@example.com",
)

_BAD_PATH = "the path has no valid identity"
_BAD_TOKEN = ResponseDoc(401, "no token, or an invalid one; the text says why", str, TEXT)
_BAD_HEADER = ResponseDoc(400, "malformed `Authorization`", str, TEXT)


_LISTS = {"addresses": Addresses, "identities": Identities}


def api_doc(profile: Release) -> ApiDoc:
    schemes = {name: scheme for name, scheme in _SCHEMES.items() if name in (*profile.schemes, "token")}
    return ApiDoc(
        name="spacetime",
        what=f"SpacetimeDB's identity API and the edge of `/v1/database`, profile `{profile.name}`",
        operations=operations_of(profile),
        operation_docs=_operation_docs(profile, tuple(schemes)),
        schemes=schemes,
    )


_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "token": {"type": "apiKey", "in": "query", "name": "token", "description": "used only without `Authorization`"},
    "basic": {"type": "http", "scheme": "basic", "description": "user name `token`, password a JWT"},
}


def _operation_docs(profile: Release, tokens: tuple[str, ...]) -> Mapping[str, OperationDoc]:
    # By the documentation page every authentication error is a 401.
    one_status = profile.malformed_credentials == _BAD_TOKEN.status
    bad_credentials = (_BAD_TOKEN,) if one_status else (_BAD_HEADER, _BAD_TOKEN)
    unreadable = "" if one_status else f", {_BAD_HEADER.what}"
    return {
        **database.operation_docs(profile, tokens),
        "spacetime.create_identity": OperationDoc(
            summary="Create an identity, with a token that never expires",
            responses=(ResponseDoc(200, "credentials and body are ignored", NewIdentity),),
        ),
        "spacetime.create_websocket_token": OperationDoc(
            summary="Create a token that expires after 60 seconds",
            responses=(ResponseDoc(200, "a token of the same identity", WebsocketToken), *bad_credentials),
            security=tokens,
        ),
        "spacetime.get_public_key": OperationDoc(
            summary="Get the public key that verifies tokens",
            responses=(ResponseDoc(200, "PEM", _Pem, "application/pem-certificate-chain"),),
        ),
        "spacetime.list_databases": OperationDoc(
            summary="List the databases of an identity; no credentials needed",
            parameters=(_IDENTITY,),
            responses=(
                ResponseDoc(200, "an empty list for an unknown identity", _LISTS[profile.database_list]),
                ResponseDoc(400, _BAD_PATH, str, TEXT),
            ),
        ),
        "spacetime.verify": OperationDoc(
            summary="Check that a token belongs to an identity",
            parameters=(_IDENTITY,),
            responses=(
                ResponseDoc(204, "it does"),
                ResponseDoc(400, f"{_BAD_PATH}{unreadable}, or the token is another's", str, TEXT, or_empty=True),
                _BAD_TOKEN,
            ),
            security=tokens,
        ),
        "spacetime.ping": OperationDoc(
            summary="Check that the server responds",
            responses=(
                ResponseDoc(200, "credentials are optional, but invalid ones are refused"),
                _BAD_HEADER,
                _BAD_TOKEN,
            ),
            security=("", *tokens),
        ),
        "spacetime.health": OperationDoc(
            summary="Get the server's version and state",
            responses=(ResponseDoc(200, "its version and nodes", ServerHealth),),
        ),
        "spacetime.set_email": OperationDoc(
            summary="Set the e-mail address of an identity",
            parameters=(_IDENTITY, _EMAIL),
            responses=(
                ResponseDoc(200, "stored"),
                ResponseDoc(400, f"{_BAD_PATH}, or `email` is missing, repeated or not valid", str, TEXT),
                ResponseDoc(401, f"{_BAD_TOKEN.what}, or the token is another's", str, TEXT, or_empty=True),
            ),
            security=tokens,
        ),
    }
