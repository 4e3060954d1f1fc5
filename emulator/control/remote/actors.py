"""Actors of the other process."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from emulator.control.actors import Actor
from emulator.control.remote.client import Control, RefusedCall, seconds
from emulator.core.arguments import all_checked
from emulator.core.clock import Seconds


@all_checked("actor.")
class RemoteActor(Actor):
    def __init__(self, control: Control, name: str, found: Mapping[str, str]) -> None:
        self._control = control
        self.name = name
        self._found = found

    def issue_token(self, *, expires_in: Seconds | None = None, null_exp: bool = False, **claims: Any) -> str:
        self._given("identity")
        wanted = {"actor": self.name, "expires_in": seconds(expires_in), "null_exp": null_exp, "claims": claims}
        token: str = self._control("POST", "/spacetime/tokens", wanted)["token"]
        return token

    def to_json(self) -> dict[str, str]:
        return dict(self._found)

    def _given(self, field: str) -> str:
        if field not in self._found:
            raise AttributeError(f"{self.name} has no {field}; the scenario gives {', '.join(self._found)}", obj=self)
        return self._found[field]


class RemoteActors(Mapping[str, Actor]):
    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, name: str) -> Actor:
        try:
            found = self._control("GET", f"/actors?{urlencode({'name': name}, errors='replace')}")["actors"]
        except RefusedCall as refused:
            if refused.status != 404:
                raise
            raise KeyError(refused.error) from None
        return RemoteActor(self._control, name, found[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._control("GET", "/actors")["actors"])

    def __len__(self) -> int:
        return len(list(iter(self)))
