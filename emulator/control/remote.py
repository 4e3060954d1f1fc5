"""An emulator in another process, through its control routes."""

import json
import os
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any, NamedTuple, Unpack, cast
from urllib.parse import urlencode, urlsplit

import msgspec

from emulator.control.actors import Actor
from emulator.control.connections import Connection
from emulator.control.control_token import control_token
from emulator.control.emulator import ClockControl, Emulator, SnapshotOrDocument
from emulator.control.faults import Fault, Faults
from emulator.control.intuition import Intuition
from emulator.control.issuers import Issuer, KeySet, Kind, key_set
from emulator.control.judged import judged
from emulator.control.new_world import new_stage
from emulator.control.spacetimedb import AnyObject, Spacetime, checked_identity
from emulator.control.stubs import Stub, Stubs, out_of_reach
from emulator.control.worlds import Worlds, not_open
from emulator.core.arguments import all_checked, checked, shown
from emulator.core.clock import Moment, Seconds, parse_rfc3339, rfc3339, to_micros, to_moment, to_seconds
from emulator.core.close_frame import NORMAL
from emulator.core.errors import Misconfigured, WrongArgument
from emulator.core.suggestions import did_you_mean
from emulator.faults.step import WrongStep, made_step
from emulator.journal.exchange import Exchange
from emulator.journal.queries import ExchangeQueries
from emulator.services.intuition.model import Identity
from emulator.services.spacetimedb.issuers.state import Condition
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER, Database
from emulator.services.spacetimedb.releases import resolved
from emulator.world.config import Config, Given, Settings, is_bundled_name
from emulator.world.connections import check_close
from emulator.world.step_check import never_happens, why_no_route
from emulator.world.stubs import StubFunction, made_stub

_PATIENCE = 10.0
"""Seconds until a control call times out."""
_LOOK_AGAIN = 0.05
"""Seconds between two reads of the journal while a query waits."""
_RESETTABLE = frozenset({"seed", "scenario"})
_OF_WORLDS = frozenset({*_RESETTABLE, "spacetime_profile", "intuition_profile", "freeze_at"})
"""The settings that a world beside the first can have."""


class RefusedCall(Misconfigured):
    """A control call that was answered with an error; `error` is its text, empty if it is no emulator's."""

    def __init__(self, message: str, error: str, status: int) -> None:
        super().__init__(message)
        self.error = error
        self.status = status


class Unreachable(Misconfigured):
    """Nobody listens there, or the connection ended without an answer."""


class Control:
    """A client of the control routes. Raises Misconfigured for a token that can't be sent."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._headers = {"X-Emulator-Token": control_token(token)} if token else {}
        self._host = ascii(socket.gethostname())[1:-1]
        # The emulator is reached directly, never through a proxy that the environment names.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of the response; a report is text. Raises Misconfigured with the error and hint of the response."""
        if not _is_url(self.url):
            shown = re.sub(r"//.*@", "//…@", self.url[:200])
            raise Misconfigured(f"{shown!r} is not the URL of an emulator; write it like http://127.0.0.1:3000")
        data = None if body is None else json.dumps(body).encode()
        client = {"X-Emulator-Client": f"{self._host}/{os.getpid()}"}  # a forked process has another number
        headers = {**self._headers, **client, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_emulator{path}", data, headers, method=method)  # noqa: S310 - http or https, see above
        try:
            with self._open(request, timeout=_PATIENCE) as answer:
                data = answer.read()
                return data.decode() if path.startswith("/report") else json.loads(data or "null")
        except urllib.error.HTTPError as refused:
            with refused:
                error, text = _refusal(refused)
                raise RefusedCall(f"{self.url} answered {refused.code}: {text}", error, refused.code) from None
        except urllib.error.URLError as error:
            raise Unreachable(_why_no_answer(self.url, error.reason)) from None
        except TimeoutError:
            raise Misconfigured(f"{self.url} was connected to, but did not answer within {_PATIENCE:g} s") from None
        except (ConnectionError, IncompleteRead):
            raise Unreachable(f"{self.url} closed the connection before it had answered") from None
        except (OSError, ValueError, HTTPException, RecursionError):
            raise Misconfigured(f"the server at {self.url} is not an identity-emulator") from None


def _why_no_answer(url: str, reason: object) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return f"the certificate at {url} is not trusted ({reason}); set SSL_CERT_FILE to the file of its CA"
    return f"no emulator answers at {url} ({reason}); start one with `identity-emulator serve`"


_URL = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?", re.IGNORECASE)


def _is_url(url: str) -> bool:
    """Whether it is an http or https URL of a host, with a port that exists, and no more than a path."""
    if not _URL.fullmatch(url) or "?" in url or "#" in url:
        return False
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        return parts.port != 0
    except ValueError:
        return False


def _refusal(refused: urllib.error.HTTPError) -> tuple[str, str]:
    """The error, and the same with a hint."""
    try:
        found = json.loads(refused.read())
        hint, error = found["hint"], found["error"]
    except (OSError, ValueError, KeyError, TypeError, HTTPException, RecursionError):
        return "", "this is not an identity-emulator"
    if "control token" in str(error):
        hint = "set IDENTITY_EMULATOR_CONTROL_TOKEN to it"
    return str(error), f"{error} ({hint})"


@contextmanager
def _judged_there(method: str) -> Iterator[None]:
    """What the other process says of an argument is a WrongArgument, as in this one."""
    try:
        yield
    except RefusedCall as refused:
        if refused.status != 400 or not refused.error:
            raise
        with judged(method):
            raise ValueError(refused.error) from None


def _seconds(given: Seconds | None) -> float | None:
    return None if given is None else to_seconds(given)


def stubbed_requests(control: Control) -> Iterator[str]:
    """The requests that stubs answer. The emulator is asked for them with the first one, so when no operation does."""
    yield from (str(each["request"]) for each in control("GET", "/stubs")["stubs"])


class RemoteJournal(ExchangeQueries):
    """The journal of the other process, read again for each query."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def exchanges(self) -> list[Exchange]:
        page = self._control("GET", "/journal")
        self.lost, self.lost_for = page["lost"], page["lost_for"]
        return [Exchange.from_json(found) for found in page["exchanges"]]

    def _why_no_route(self, method: str, path: str) -> str:
        return why_no_route(method, path, stubbed_requests(self._control))

    @contextmanager
    def _listening(self, wake: Callable[[], object]) -> Iterator[None]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(_LOOK_AGAIN):
                with suppress(RuntimeError):  # its loop was closed
                    wake()

        threading.Thread(target=look, daemon=True).start()
        try:
            yield
        finally:
            over.set()


class RemoteConnection(Connection):
    def __init__(self, control: Control, found: Mapping[str, str]) -> None:
        self._control = control
        self._found = found

    def __repr__(self) -> str:
        return f"<Connection {self.id} {self.protocol}>"

    @property
    def id(self) -> str:
        return self._found["id"]

    @property
    def identity(self) -> str:
        return self._found["identity"]

    @property
    def database(self) -> str:
        return self._found["database"]

    @property
    def protocol(self) -> str:
        return self._found["protocol"]

    @property
    def since(self) -> datetime:
        return parse_rfc3339(self._found["since"])

    @property
    def actor(self) -> str:
        return self._found["actor"]

    @checked("connection.close", reason="enough")
    def close(self, code: int = NORMAL, reason: str = "") -> None:
        with judged("connection.close"):
            check_close(code, reason)
        if any(each["id"] == self.id for each in self._control("GET", "/connections")["connections"]):
            self._control("DELETE", "/connections", {"id": self.id, "code": code, "reason": reason})


@all_checked("spacetime.", headers={"typ": "JWT", "alg": "none"}, url="https://auth.example.com")
class RemoteSpacetime(Spacetime):
    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def connections(self) -> Sequence[Connection]:
        return [RemoteConnection(self._control, each) for each in self._control("GET", "/connections")["connections"]]

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
            "jwks": None if jwks is None else _sendable(jwks),
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
        whole = {"subject": subject, "issuer": issuer, "audience": audience, "expires_in": _seconds(expires_in)}
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
        with _judged_there("spacetime.add_database"):
            return msgspec.convert(self._control("POST", "/spacetime/databases", wanted), Database)

    def rotate_key(self) -> None:
        self._control("POST", "/spacetime/rotate-key")


def _sendable(keys: KeySet | Path) -> Any:
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
        ends = _seconds(expires_in)
        whole = {"subject": subject, "audience": audience, "algorithm": algorithm, "expires_in": ends}
        named = {} if kid is msgspec.UNSET else {"kid": kid}
        given = {**whole, **named, "headers": headers, "claims": claims}
        token: str = self._control("POST", f"{self._path}/tokens", given)["token"]
        return token

    def rotate_key(self, *, keep: bool = False) -> None:
        self._control("POST", f"{self._path}/rotate-key", {"keep": keep})

    def publish(self, keys: KeySet) -> None:
        self._control("POST", f"{self._path}/publish", {"jwks": _sendable(keys)})

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


@all_checked("intuition.", identity="jp")
class RemoteIntuition(Intuition):
    def __init__(self, control: Control) -> None:
        self._control = control

    def issue_api_key(self, wallet: str) -> str:
        key: str = self._control("POST", "/intuition/api-keys", {"wallet": wallet})["key"]
        return key

    def revoke_api_key(self, key: str) -> None:
        self._control("DELETE", "/intuition/api-keys", {"key": key})

    def lifecycle(self, *, pending: bool = True, complete_after: Seconds | None = None) -> None:
        after = _seconds(complete_after)
        self._control("POST", "/intuition/lifecycle", {"pending": pending, "complete_after": after})

    def _move(self, identity: str, status: str) -> Identity:
        found = self._control("POST", "/intuition/status", {"identity": identity, "status": status})
        return msgspec.convert(found, Identity)


class RemoteFault(Fault):
    """A fault of the other process. After `remove()` or a reset it is `removed`, with the counts last read."""

    def __init__(self, control: Control, found: dict[str, Any]) -> None:
        self._control = control
        self._last = found

    def __repr__(self) -> str:
        return f"<Fault {self._now()}>"

    @property
    def number(self) -> int:
        return int(self._last["n"])

    @property
    def seen(self) -> int:
        return int(self._now()["seen"])

    @property
    def fired(self) -> int:
        return int(self._now()["fired"])

    @property
    def status(self) -> str:
        return str(self._now()["status"])

    @property
    def done(self) -> bool:
        return bool(self._now()["done"])

    def remove(self) -> None:
        self._now()
        self._control("DELETE", "/faults", {"n": self.number})

    def _now(self) -> dict[str, Any]:
        found = self._control("GET", "/faults")["faults"]
        gone = {**self._last, "status": "removed"}
        self._last = next((each for each in found if each["n"] == self.number), gone)
        return self._last


class RemoteFaults(Faults):
    def __init__(self, control: Control) -> None:
        self._control = control

    def _add(self, step: dict[str, Any]) -> Fault:
        if wrong := list(never_happens(made_step(step), stubbed_requests(self._control))):
            raise WrongStep(wrong)
        return RemoteFault(self._control, self._control("POST", "/faults", step))

    def clear(self) -> None:
        self._control("DELETE", "/faults")

    def __iter__(self) -> Iterator[Fault]:
        return iter([RemoteFault(self._control, each) for each in self._control("GET", "/faults")["faults"]])


class RemoteStub(Stub):
    """A stub of the other process. After `remove()` or a reset it has the counts last read."""

    def __init__(self, control: Control, found: dict[str, Any]) -> None:
        self._control = control
        self._last = found

    def __repr__(self) -> str:
        return f"<Stub {self._now()}>"

    @property
    def number(self) -> int:
        return int(self._last["n"])

    @property
    def request(self) -> str:
        return str(self._last["request"])

    @property
    def answered(self) -> int:
        return int(self._now()["answered"])

    @property
    def fired(self) -> int:
        return self.answered

    @property
    def done(self) -> bool:
        return bool(self._now()["done"])

    def remove(self) -> None:
        self._now()
        self._control("DELETE", "/stubs", {"n": self.number})

    def _now(self) -> dict[str, Any]:
        found = self._control("GET", "/stubs")["stubs"]
        self._last = next((each for each in found if each["n"] == self.number), self._last)
        return self._last


class RemoteStubs(Stubs):
    def __init__(self, control: Control) -> None:
        self._control = control

    def _add(self, stub: Mapping[str, Any], function: StubFunction | None) -> Stub:
        out_of_reach(function)
        made_stub(stub)
        with _judged_there("stub"):
            return RemoteStub(self._control, self._control("POST", "/stubs", stub))

    def clear(self) -> None:
        self._control("DELETE", "/stubs")

    def __iter__(self) -> Iterator[Stub]:
        return iter([RemoteStub(self._control, each) for each in self._control("GET", "/stubs")["stubs"]])


@all_checked("clock.", at="2024-02-15T05:47:17Z")
class RemoteClock(ClockControl):
    def __init__(self, control: Control) -> None:
        self._control = control

    def __repr__(self) -> str:
        return f"<Clock of {self._control.url}>"

    @property
    def frozen(self) -> bool:
        frozen: bool = self._control("GET", "/clock")["frozen"]
        return frozen

    def now(self) -> datetime:
        return parse_rfc3339(self._control("GET", "/clock")["now"])

    def advance(self, by: Seconds) -> None:
        self._move("advance", to_seconds(by))

    def freeze(self, at: Moment | None = None) -> None:
        self._move("freeze", True if at is None else rfc3339(to_micros(to_moment(at))))

    def resume(self) -> None:
        self._move("resume", True)  # noqa: FBT003 - a value of JSON

    def skew(self, seconds: Seconds) -> None:
        self._move("skew", to_seconds(seconds))

    def _move(self, move: str, value: object) -> None:
        self._control("POST", "/clock", {move: value})


@all_checked("actor.")
class RemoteActor(Actor):
    def __init__(self, control: Control, name: str, found: Mapping[str, str]) -> None:
        self._control = control
        self.name = name
        self._found = found

    def issue_token(self, *, expires_in: Seconds | None = None, null_exp: bool = False, **claims: Any) -> str:
        self._given("identity")
        wanted = {"actor": self.name, "expires_in": _seconds(expires_in), "null_exp": null_exp, "claims": claims}
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
        found = self._control("GET", f"/actors?{urlencode({'name': name}, errors='replace')}")["actors"]
        if name not in found:
            raise KeyError(f"no actor {name!r}; {did_you_mean(str(name), self)}")
        return RemoteActor(self._control, name, found[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._control("GET", "/actors")["actors"])

    def __len__(self) -> int:
        return len(list(iter(self)))


class RemoteWorlds(Worlds["RemoteEmulator"]):
    def __init__(self, control: Control, emulator: "RemoteEmulator") -> None:
        self._control = control
        self._emulator = emulator

    @checked("worlds.open")
    def open(
        self, config: Config | None = None, *, idle_exit: float | None = None, **settings: Unpack[Settings]
    ) -> "RemoteEmulator":
        full = Config(**settings).over(config or Config())
        wanted = {name: value for name, value in vars(full).items() if value is not None}
        if others := wanted.keys() - _OF_WORLDS:
            raise Misconfigured(
                f"a world opened over HTTP has no {min(others)} of its own, only {', '.join(sorted(_OF_WORLDS))}"
            )
        if full.scenario is not None:
            wanted["scenario"] = self._emulator._sent(full.scenario) or []
        if full.frozen_at is not None:
            wanted["freeze_at"] = rfc3339(to_micros(full.frozen_at))
        return self._of(self._control("POST", "/worlds", {**wanted, "idle_exit": idle_exit}))

    def close(self, world: "RemoteEmulator") -> None:
        found = next((each["id"] for each in self._open() if each["url"] == world.url), None)
        if found is None:
            raise not_open(world)
        self._control("DELETE", f"/worlds/{found}")

    def __iter__(self) -> Iterator["RemoteEmulator"]:
        return map(self._of, self._open())

    def _open(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", "/worlds")["worlds"]
        return found

    def _of(self, world: Mapping[str, Any]) -> "RemoteEmulator":
        found = RemoteEmulator(world["url"], self._emulator.control_token)
        found.folders = self._emulator.folders
        return found


class State(NamedTuple):
    """How often an emulator was asked for something since its last reset, and changed since its start."""

    requests: int
    changes: int


@all_checked("")
class RemoteEmulator(Emulator):
    """A running emulator, by URL. Operations without a control route raise OutOfReach."""

    @checked("RemoteEmulator")
    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = self.plain_url = url.rstrip("/")
        self.trust = None
        self.control_token = control_token(token) if token else None
        self.folders = (Path(),)
        self._control = Control(self.url, token)
        self._journal = RemoteJournal(self._control)
        self._config = Config()
        self.before_reset: list[Callable[[], object]] = []
        """Called before this handle has the world replaced."""
        self.spacetime = RemoteSpacetime(self._control)
        self.intuition = RemoteIntuition(self._control)
        self.faults = RemoteFaults(self._control)
        self.stubs = RemoteStubs(self._control)
        self.worlds: Worlds[RemoteEmulator] = RemoteWorlds(self._control, self)  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Emulator {self.url} in another process>"

    @property
    def actors(self) -> Mapping[str, Actor]:
        return RemoteActors(self._control)

    def actors_env(self) -> dict[str, str]:
        env: dict[str, str] = self._control("GET", "/actors")["env"]
        return {name: value for name, value in env.items() if name != "INTUITION_API_KEY"}

    def api_key_of(self, config: Config) -> str:
        there = Config(seed=self._control("GET", "/health")["seed"])
        return new_stage(config, there).world.api_key

    def stub_reducer(self, database: str, reducer: str) -> None:
        with _judged_there("stub_reducer"):
            self._control("POST", "/spacetime/reducers", {"database": database, "reducer": reducer})

    def _first_key(self) -> str:
        key: str = self._control("GET", "/actors")["env"].get("INTUITION_API_KEY", "")
        return key

    @property
    def clock(self) -> ClockControl:
        return RemoteClock(self._control)

    @property
    def journal(self) -> ExchangeQueries:
        return self._journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        self._tell()
        full = Config(**settings).over(config or self._config)
        wanted = {name: value for name, value in vars(full).items() if value is not None}
        seed = {} if full.seed is None else {"seed": full.seed}
        answer = self._control("POST", "/reset", {**seed, "scenario": self._sent(full.scenario)})
        wanted.pop("freeze_at", None)
        if full.frozen_at is not None:
            self.clock.freeze(full.frozen_at)
        profiles = {f"{api}_profile": profile for api, profile in answer["profiles"].items()}
        for name, value in wanted.items():
            if name not in _RESETTABLE and profiles.get(name) != resolved(str(value)):
                option = name.replace("_", "-")
                raise Misconfigured(
                    f"this test needs {name}={value!s}, the emulator at {self.url} was started with "
                    f"{profiles.get(name, 'something else')}; start it with --{option} {value!s}"
                )

    def snapshot(self) -> dict[str, Any]:
        document: dict[str, Any] = self._control("GET", "/snapshot")
        return document

    def restore(self, snapshot: SnapshotOrDocument) -> None:
        if not isinstance(snapshot, dict):
            raise WrongArgument(
                f"restore: snapshot: expected what this emulator's snapshot() returned, got {shown(snapshot)}"
            )
        self._control("PUT", "/snapshot", snapshot)

    def begin(self, config: Config) -> None:
        self.reset(config)
        self._config = config

    def _tell(self) -> None:
        for tell in self.before_reset:
            tell()

    def load(self, scenario: Given) -> None:
        self._tell()
        self._control("POST", "/scenario", {"scenario": self._sent(scenario)})
        self._config = Config(scenario=scenario).over(self._config)

    def _sent(self, scenario: Given | None) -> Any:
        """Bundled scenarios by name; files are read in this process and sent as one document."""
        layers = Config(scenario=scenario).layers
        if all(map(is_bundled_name, layers)):
            return list(layers) or None
        from emulator.scenario.loader import find
        from emulator.scenario.locate import is_python

        if any(map(is_python, layers)):
            raise Misconfigured("a Python scenario runs in the emulator's own process only; load it without a URL")
        return find(layers, self.folders).good().plain

    def _heading(self) -> tuple[str, str]:
        lines: list[str] = self._control("GET", "/report?last=0").splitlines()
        return lines[0], self._journal.lost_in_words

    def abort_requests(self) -> None:
        """Does nothing: there is no control route for it."""


def state_of(emulator: RemoteEmulator) -> State:
    """Raises Misconfigured."""
    found = emulator._control("GET", "/state")
    return State(found["journal"]["total"], found.get("changes", 0))
