"""SpacetimeDB of the other process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from emulator.control.connections import Connection, OpenConnections
from emulator.control.issuers import Issuer, KeySet
from emulator.control.remote.client import Control, judged_there, seconds
from emulator.control.remote.connections import RemoteConnection
from emulator.control.remote.issuers import RemoteIssuer, RemoteIssuers, sendable
from emulator.control.spacetimedb import AnyObject, Spacetime, checked_identity
from emulator.core.arguments import all_checked
from emulator.core.clock import Seconds
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER, Database


@all_checked("spacetime.", headers={"typ": "JWT", "alg": "none"}, url="https://auth.example.com")
class RemoteSpacetime(Spacetime):
    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def connections(self) -> Sequence[Connection]:
        found = self._control("GET", "/connections")["connections"]
        return OpenConnections(RemoteConnection(self._control, each) for each in found)

    @property
    def issuers(self) -> Mapping[str, Issuer]:
        return RemoteIssuers(self._control)

    def issuer(
        self,
        url: str | None = None,
        *,
        jwks: KeySet | Path | None = None,
        fetch: bool = False,
        algorithm: str | None = None,
        accept_as_server: bool = False,
    ) -> Issuer:
        given = {
            "url": url,
            "jwks": None if jwks is None else sendable(jwks),
            "fetch": fetch,
            "algorithm": algorithm,
            "accept_as_server": accept_as_server,
        }
        whole = {name: value for name, value in given.items() if value not in (None, False)}
        return RemoteIssuer(self._control, self._control("POST", "/issuers", whole))

    def issue_token(
        self,
        *,
        subject: str,
        issuer: str = LOCAL_ISSUER,
        audience: str | Sequence[str] = AUDIENCE,
        expires_in: Seconds | None = None,
        null_exp: bool = False,
        **claims: Any,
    ) -> str:
        whole = {"subject": subject, "issuer": issuer, "audience": audience, "expires_in": seconds(expires_in)}
        return self._token({**whole, "null_exp": null_exp, "claims": claims})

    def sign(self, claims: AnyObject, headers: AnyObject | None = None) -> str:
        return self._token({"claims": claims, "headers": headers})

    def _token(self, wanted: Mapping[str, Any]) -> str:
        token: str = self._control("POST", "/spacetime/tokens", wanted)["token"]
        return token

    def add_database(self, owner: str, name: str | None = None, identity: str | None = None) -> Database:
        checked_identity("add_database", "owner", owner)
        if identity is not None:
            checked_identity("add_database", "identity", identity)
        wanted = {"owner": owner, "name": name, "identity": identity}
        with judged_there("spacetime.add_database"):
            return msgspec.convert(self._control("POST", "/spacetime/databases", wanted), Database)

    def rotate_key(self) -> None:
        self._control("POST", "/spacetime/rotate-key")
