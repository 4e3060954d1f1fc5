"""An emulator in another process, through the same control routes as everybody else."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from emulator.clock import Clock
from emulator.errors import Misconfigured
from emulator.exchange import Exchange
from emulator.handle import Address, Emulator
from emulator.inquiry import Inquiry
from emulator.world import Config

_PATIENCE = 10.0
"""Seconds until a control call is given up."""
_LOOK_AGAIN = 0.05
"""Seconds between two looks at the journal while something is waited for."""
_RESETTABLE = frozenset({"seed", "scenario"})


class Control:
    """The control routes of a running emulator."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._headers = {"X-Emulator-Token": token} if token else {}
        # Proxies of the environment are for the network, not for the process next door.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON it answers. Raises Misconfigured with what it says is wrong."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_emulator{path}", data, headers, method=method)  # noqa: S310
        try:
            with self._open(request, timeout=_PATIENCE) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as refused:
            with refused:
                raise Misconfigured(f"{self.url} says {refused.code}: {_said(refused.read())}") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise Misconfigured(
                f"no emulator answers at {self.url} ({reason}); start one with `identity-emulator serve`"
            ) from None


def _said(body: bytes) -> str:
    try:
        found = json.loads(body)
        return f"{found['error']} ({found['hint']})"
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "backslashreplace")


class RemoteJournal(Inquiry):
    """The other process's journal, read anew at each question."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def exchanges(self) -> list[Exchange]:
        return [Exchange.from_json(found) for found in self._control("GET", "/journal")["exchanges"]]

    def _seen(self) -> int:
        return 0

    def _wait(self, seen: int, timeout: float) -> None:
        threading.Event().wait(min(timeout, _LOOK_AGAIN))


class _OutOfReach:
    """Stands for what only the emulator's own process can do; using it says so."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(
            f"emulator.{self._what}.{name} needs the emulator in this process; it can't be reached by its URL. "
            "Run the test without --identity-emulator-url"
        )


class RemoteEmulator(Emulator):
    """A running emulator, by its URL. `spacetime`, `intuition` and `clock` say that they can't be reached."""

    def __init__(self, url: str, token: str | None = None) -> None:
        Address.__init__(self, url.rstrip("/"))
        self._control = Control(self.url, token)
        self._journal = RemoteJournal(self._control)
        self.spacetime: Any = _OutOfReach("spacetime")
        self.intuition: Any = _OutOfReach("intuition")

    @property
    def clock(self) -> Clock:
        return cast(Clock, _OutOfReach("clock"))

    @property
    def journal(self) -> Inquiry:
        return self._journal

    def reset(self, config: Config | None = None) -> None:
        """A world as new there. Raises Misconfigured when `config` wants what a reset can't change."""
        wanted = {name: value for name, value in vars(config or Config()).items() if value is not None}
        told = self._control("POST", "/reset", {name: wanted[name] for name in _RESETTABLE & wanted.keys()})
        profiles = {f"{api}_profile": profile for api, profile in told["profiles"].items()}
        for name, value in wanted.items():
            if name not in _RESETTABLE and profiles.get(name) != value:
                option = name.replace("_", "-")
                raise Misconfigured(
                    f"this test wants {name}={value!s}, the emulator at {self.url} was started with "
                    f"{profiles.get(name, 'something else')}; start it with --{option} {value!s}"
                )

    def abort_requests(self) -> None:
        """Nothing: what is under way there is not this process's."""
