"""Foreign issuers of the other process."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from emulator.control.issuers import Issuer, KeySet, Kind, key_set
from emulator.control.remote.client import Control, seconds
from emulator.core.arguments import all_checked
from emulator.core.clock import Seconds
from emulator.services.spacetimedb.issuers.state import Condition
from emulator.services.spacetimedb.model import AUDIENCE


def sendable(keys: KeySet | Path) -> Any:
    """A key set as JSON holds it. Raises ValueError for bytes that are no text."""
    given = key_set(keys)
    try:
        return given.decode() if isinstance(given, bytes) else given
    except UnicodeDecodeError:
        raise ValueError("over HTTP a key set is text; this is no UTF-8") from None


@all_checked("issuer.", audience="app", headers={"alg": "RS256"})
class RemoteIssuer(Issuer):
    def __init__(self, control: Control, found: Mapping[str, Any]) -> None:
        self._control = control
        self._found = found

    def __repr__(self) -> str:
        return f"<Issuer {self.url}>"

    @property
    def url(self) -> str:
        return str(self._found["url"])

    @property
    def number(self) -> int:
        return int(self._found["n"])

    @property
    def kind(self) -> Kind:
        return cast(Kind, self._found["kind"])

    @property
    def condition(self) -> Condition:
        return cast(Condition, self._control("GET", self._path)["condition"])

    @property
    def jwks(self) -> Any:
        if self.kind == "fetched":
            raise ValueError(f"{self.url} is fetched; its own server publishes its keys")
        return json.loads(self._control("GET", self._path)["jwks"])

    @property
    def discovery_url(self) -> str:
        return str(self._found["discovery_url"])

    @property
    def jwks_url(self) -> str:
        return str(self._found["jwks_url"])

    def issue_token(
        self,
        *,
        subject: str,
        audience: str | Sequence[str] | None = AUDIENCE,
        algorithm: str | None = None,
        kid: str | msgspec.UnsetType | None = msgspec.UNSET,
        expires_in: Seconds | None = None,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        ends = seconds(expires_in)
        whole = {"subject": subject, "audience": audience, "algorithm": algorithm, "expires_in": ends}
        named = {} if kid is msgspec.UNSET else {"kid": kid}
        given = {**whole, **named, "headers": headers, "claims": claims}
        token: str = self._control("POST", f"{self._path}/tokens", given)["token"]
        return token

    def rotate_key(self, *, keep: bool = False) -> None:
        self._control("POST", f"{self._path}/rotate-key", {"keep": keep})

    def publish(self, keys: KeySet) -> None:
        self._control("POST", f"{self._path}/publish", {"jwks": sendable(keys)})

    def up(self) -> None:
        self._become("up")

    def down(self) -> None:
        self._become("down")

    def hang(self) -> None:
        self._become("hanging")

    def _become(self, condition: Condition) -> None:
        self._control("POST", f"{self._path}/condition", {"condition": condition})

    def remove(self) -> None:
        self._control("DELETE", "/issuers", {"n": self.number})

    @property
    def _path(self) -> str:
        return f"/issuers/{self.number}"


class RemoteIssuers(Mapping[str, Issuer]):
    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, url: str) -> Issuer:
        found = self._all().get(url)
        if found is None:
            raise KeyError(f"no issuer {url!r}; there is {', '.join(self._all()) or 'none'}")
        return RemoteIssuer(self._control, found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> Mapping[str, Mapping[str, Any]]:
        return {each["url"]: each for each in self._control("GET", "/issuers")["issuers"]}
