"""The control routes under `/_emulator`: what a test, a dashboard or another language says to the emulator itself.

JSON in and out; never journaled. They listen only to whoever may steer the emulator: see `Guard`.
"""

from collections.abc import Callable, Mapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any

import msgspec

from emulator.axum import Answer, Route, Routes, json_answer, nearest, query_pairs
from emulator.clock import parse_rfc3339, rfc3339
from emulator.errors import Misconfigured, Refused
from emulator.web import BodyBroken, BodyTooLong, Call, Handler
from emulator.world import Config, Stage

PREFIX = "/_emulator"
LONGEST_BODY = 256 * 1024 * 1024


def emulator_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("identity-emulator")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "0"


class ControlRefused(Refused):
    """`text` says what is wrong, `hint` what to do about it."""

    def __init__(self, status: int, text: str, hint: str) -> None:
        super().__init__(status, text, hint)
        self.hint = hint


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class Guard(msgspec.Struct, frozen=True):
    """Who may steer the emulator.

    Binding to loopback does not keep a web page out: a page can post to 127.0.0.1, and by rebinding its own name to
    that address it can read the answers. So the `Host` must be ours, a foreign `Origin` is refused, and a body must be
    JSON, which no page can send without asking first.
    """

    host: str = "127.0.0.1"
    token: str | None = None

    def check(self, call: Call) -> None:
        """Raises ControlRefused."""
        self._check_origin(call)
        if self.token is None:
            self._check_host(call)
        elif not self._has_token(call, self.token) and (call.method, call.path) != ("GET", f"{PREFIX}/health"):
            raise ControlRefused(
                401,
                "the control token is missing or wrong",
                "send it as `Authorization: Bearer …` or `X-Emulator-Token`",
            )

    def _has_token(self, call: Call, token: str) -> bool:
        scheme, _, bearer = (call.header("authorization") or "").partition(" ")
        sent = call.header("x-emulator-token") or (bearer.strip() if scheme.lower() == "bearer" else "")
        return compare_digest(sent.encode("utf-8", "surrogateescape"), token.encode())

    def _check_host(self, call: Call) -> None:
        host = _without_port(call.header("host") or "")
        if not is_loopback(host) and host != self.host:
            raise ControlRefused(
                403, f"the control routes don't answer to the name {host!r}", "use 127.0.0.1, or give --control-token"
            )

    def _check_origin(self, call: Call) -> None:
        origin = call.header("origin")
        if origin is not None and origin != f"http://{call.header('host')}":
            raise ControlRefused(
                403, f"a page of {origin!r} may not use the control routes", "call them from the test, not from a page"
            )


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


async def _json(call: Call) -> dict[str, Any]:
    """The object in the body; empty when there is no body. Raises ControlRefused."""
    try:
        body = await call.body(LONGEST_BODY)
    except BodyTooLong as error:
        raise ControlRefused(413, f"the body has {error}", "256 MiB are the most") from None
    except BodyBroken as error:
        raise ControlRefused(400, f"the body could not be read: {error}", "send it whole") from None
    if not body:
        return {}
    essence = (call.header("content-type") or "").partition(";")[0].strip().lower()
    if essence != "application/json":
        raise ControlRefused(415, "a body here is JSON", "send it with `Content-Type: application/json`")
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ControlRefused(400, f"the body is not JSON: {error}", "send one JSON object") from None
    if not isinstance(found, dict):
        raise ControlRefused(400, "the body is JSON, but not an object", "send one JSON object")
    return found


def _only(found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"known are {', '.join(known) or 'none'}"
            raise ControlRefused(400, f"unknown key {key!r}", hint)


class Control:
    """The handlers, around the stage they steer."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def health(self, call: Call) -> Answer:
        world = self._stage.world
        return json_answer(
            {
                "status": "ok",
                "version": emulator_version(),
                "seed": world.seed,
                "profiles": {"spacetime": world.spacetime.profile.name, "intuition": world.intuition.profile.name},
            }
        )

    async def state(self, call: Call) -> Answer:
        world = self._stage.world
        spacetime, intuition = world.spacetime, world.intuition
        return json_answer(
            {
                "seed": world.seed,
                "clock": {"now": rfc3339(world.clock.micros()), "frozen": world.clock.frozen},
                "spacetime": {"profile": spacetime.profile.name, "emails": len(spacetime.emails)},
                "intuition": {
                    "profile": intuition.profile.name,
                    "api_keys": len(intuition.api_keys),
                    "identities": len(intuition),
                },
                "journal": {"total": world.journal.total, "dropped": world.journal.dropped},
            }
        )

    async def reset(self, call: Call) -> Answer:
        """A world as new; `seed` and `scenario` make it another one."""
        found = await _json(call)
        _only(found, ("seed", "scenario"))
        seed, scenario = found.get("seed"), found.get("scenario")
        if seed is not None and type(seed) is not int:
            raise ControlRefused(400, "`seed` is not an integer", 'send {"seed": 7}')
        if not isinstance(scenario, str | None):
            raise ControlRefused(400, "`scenario` is not a name", 'send {"scenario": "quickstart"}')
        self._stage.reset(Config(seed=seed, scenario=scenario).over(self._stage.config))
        return await self.health(call)

    async def journal(self, call: Call) -> Answer:
        journal = self._stage.world.journal
        exchanges = [exchange.to_json() for exchange in journal.find(**_filters(call.query))]
        return json_answer({"exchanges": exchanges, "total": journal.total, "dropped": journal.dropped})

    async def clear_journal(self, call: Call) -> Answer:
        self._stage.world.journal.clear()
        return Answer(204)


_FILTERS: Mapping[str, Callable[[str], Any]] = {"method": str, "path": str, "status": int, "since": parse_rfc3339}


def _filters(query: str) -> dict[str, Any]:
    found = dict(query_pairs(query))
    _only(found, tuple(_FILTERS))
    try:
        return {key: _FILTERS[key](value) for key, value in found.items()}
    except ValueError as error:
        hint = "`status` is a number, `since` is like 2024-02-15T05:47:17Z (write + as %2B)"
        raise ControlRefused(400, f"a filter can't be read: {error}", hint) from None


def control(stage: Stage, guard: Guard) -> Handler:
    """The handler of everything under `/_emulator`."""
    handlers = Control(stage)
    routes = Routes(
        [
            Route("GET", f"{PREFIX}/health", "control.health", handlers.health),
            Route("GET", f"{PREFIX}/state", "control.state", handlers.state),
            Route("POST", f"{PREFIX}/reset", "control.reset", handlers.reset),
            Route("GET", f"{PREFIX}/journal", "control.journal", handlers.journal),
            Route("DELETE", f"{PREFIX}/journal", "control.clear_journal", handlers.clear_journal),
        ]
    )

    async def handle(call: Call) -> Answer:
        try:
            guard.check(call)
            return await _route(call, routes).handler(call)
        except ControlRefused as refused:
            return json_answer({"error": refused.text, "hint": refused.hint}, refused.status)
        except Misconfigured as error:
            return json_answer({"error": str(error), "hint": "nothing was changed"}, 400)

    return handle


def _route(call: Call, routes: Routes) -> Route:
    found = routes.find(call.path)
    if found is None:
        near = nearest(call.path, routes.paths)
        hint = f"did you mean {near}?" if near else f"there is {', '.join(routes.paths)}"
        raise ControlRefused(404, f"no control route {call.path}", hint)
    resource, call.params = found
    route = resource.route(call.method)
    if route is None:
        raise ControlRefused(405, f"{call.method} is not allowed here", f"{resource.path} has {resource.allowed}")
    return route
