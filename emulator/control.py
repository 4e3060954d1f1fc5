"""The control routes under `/_emulator`: what a test, a dashboard or another language says to the emulator itself.

JSON in and out; never journaled. They listen only to whoever may steer the emulator: see `Guard`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from emulator.axum import TEXT, Answer, Route, Routes, json_answer, nearest, query_pairs
from emulator.clock import Clock, parse_rfc3339, rfc3339
from emulator.errors import Misconfigured
from emulator.guard import PREFIX, ControlRefused, Guard
from emulator.handle import SpacetimeHandle
from emulator.report import curl
from emulator.spacetime.model import AUDIENCE, LOCAL_ISSUER
from emulator.web import BodyBroken, BodyTooLong, Call, Handler
from emulator.world import Config, Stage

T = TypeVar("T")

LONGEST_BODY = 256 * 1024 * 1024


def emulator_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("identity-emulator")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "0"


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
    except (msgspec.DecodeError, RecursionError) as error:
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


def _field(found: Mapping[str, Any], name: str, kind: type[T] | tuple[type[T], ...], example: str) -> T | None:
    """A value of the body, None when it is not there. Raises ControlRefused for one of another type."""
    value = found.get(name)
    if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        raise ControlRefused(400, f"`{name}` is {msgspec.json.encode(value).decode()[:80]}", f"send {example}")
    return value


def _needed(found: Mapping[str, Any], name: str, kind: type[T], example: str) -> T:
    value = _field(found, name, kind, example)
    if value is None:
        raise ControlRefused(400, f"`{name}` is missing", f"send {example}")
    return value


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
        seed = _field(found, "seed", int, '{"seed": 7}')
        scenario = _field(found, "scenario", str, '{"scenario": "quickstart"}')
        self._stage.reset(Config(seed=seed, scenario=scenario).over(self._stage.config))
        return await self.health(call)

    async def journal(self, call: Call) -> Answer:
        journal = self._stage.world.journal
        exchanges = [exchange.to_json() for exchange in journal.find(**_filters(call.query))]
        return json_answer({"exchanges": exchanges, "total": journal.total, "dropped": journal.dropped})

    async def clear_journal(self, call: Call) -> Answer:
        self._stage.world.journal.clear()
        return Answer(204)

    async def journal_curl(self, call: Call) -> Answer:
        """A shell command that sends exchange n again, secrets included: it is asked for."""
        exchanges = self._stage.world.journal.exchanges
        found = next((each for each in exchanges if str(each.number) == call.params[0]), None)
        if found is None:
            raise ControlRefused(404, f"no exchange {call.params[0][:40]!r}", "GET /_emulator/journal lists them")
        command = curl(found, f"http://{call.header('host')}", secrets=True)
        return Answer(200, f"{command}\n".encode(), TEXT)

    async def clock(self, call: Call) -> Answer:
        clock = self._stage.world.clock
        return json_answer({"now": rfc3339(clock.micros()), "frozen": clock.frozen})

    async def move_clock(self, call: Call) -> Answer:
        """One of `advance` and `skew` (seconds), `freeze` (a moment, or true for now) and `resume`."""
        found = await _json(call)
        _only(found, _CLOCK_MOVES)
        if len(found) != 1:
            raise ControlRefused(400, f"{len(found)} moves at once", f"send one of {', '.join(_CLOCK_MOVES)}")
        try:
            _move(self._stage.world.clock, found)
        except (ValueError, OverflowError) as error:
            raise ControlRefused(400, str(error), _CLOCK_EXAMPLE) from None
        return await self.clock(call)

    async def sign_token(self, call: Call) -> Answer:
        """`claims` under `headers`, nothing added; or with `subject` a whole token, as `issue_token` makes it."""
        found = await _json(call)
        _only(found, ("claims", "headers", "subject", "issuer", "audience", "expires_in"))
        spacetime = SpacetimeHandle(self._stage)
        subject = _field(found, "subject", str, _ISSUE_EXAMPLE)
        if subject is None:
            claims = _needed(found, "claims", dict, '{"claims": {"sub": "alice", "iss": "localhost", "iat": 1}}')
            return json_answer({"token": spacetime.sign(claims, _field(found, "headers", dict, _ISSUE_EXAMPLE))})
        token = _issue(spacetime, subject, found)
        return json_answer({"token": token})

    async def rotate_key(self, call: Call) -> Answer:
        self._stage.world.spacetime.rotate_key()
        return Answer(204)

    async def issue_api_key(self, call: Call) -> Answer:
        found = await _json(call)
        _only(found, ("wallet",))
        issued = self._stage.world.intuition.issue_api_key(_needed(found, "wallet", str, '{"wallet": "0x81"}'))
        return json_answer({"key": issued.key, "wallet": issued.wallet})

    async def revoke_api_key(self, call: Call) -> Answer:
        found = await _json(call)
        _only(found, ("key",))
        key = _needed(found, "key", str, '{"key": "…"}')
        try:
            self._stage.world.intuition.revoke_api_key(key)
        except KeyError:
            raise ControlRefused(404, "there is no such key", "POST the wallet here to issue one") from None
        return Answer(204)


_CLOCK_MOVES = ("advance", "freeze", "skew", "resume")
_CLOCK_EXAMPLE = 'send {"advance": 61}, {"freeze": "2024-02-15T05:47:17Z"}, {"skew": 5} or {"resume": true}'
_ISSUE_EXAMPLE = '{"subject": "alice", "expires_in": 60, "claims": {"role": "admin"}}'


def _move(clock: Clock, found: Mapping[str, Any]) -> None:
    """Raises ValueError for a move that can't be made."""
    match dict(found):
        case {"advance": int() | float() as seconds} if not isinstance(seconds, bool):
            clock.advance(seconds)
        case {"skew": int() | float() as seconds} if not isinstance(seconds, bool):
            clock.skew(seconds)
        case {"freeze": str() as moment}:
            clock.freeze(parse_rfc3339(moment))
        case {"freeze": True}:
            clock.freeze()
        case {"resume": True}:
            clock.resume()
        case _:
            raise ValueError(f"{msgspec.json.encode(found).decode()[:80]} is no move of the clock")


def _issue(spacetime: SpacetimeHandle, subject: str, found: Mapping[str, Any]) -> str:
    audience = found.get("audience", list(AUDIENCE))
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(each, str) for each in audiences):
        raise ControlRefused(400, "`audience` is neither a text nor a list of texts", f"send {_ISSUE_EXAMPLE}")
    try:
        return spacetime.issue_token(
            subject=subject,
            issuer=_field(found, "issuer", str, _ISSUE_EXAMPLE) or LOCAL_ISSUER,
            audience=tuple(audiences),
            expires_in=_field(found, "expires_in", (int, float), _ISSUE_EXAMPLE),
            **_field(found, "claims", dict, _ISSUE_EXAMPLE) or {},
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ControlRefused(400, str(error), f"send {_ISSUE_EXAMPLE}") from None


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
            Route("GET", f"{PREFIX}/journal/:n/curl", "control.journal_curl", handlers.journal_curl),
            Route("GET", f"{PREFIX}/clock", "control.clock", handlers.clock),
            Route("POST", f"{PREFIX}/clock", "control.move_clock", handlers.move_clock),
            Route("POST", f"{PREFIX}/spacetime/tokens", "control.sign_token", handlers.sign_token),
            Route("POST", f"{PREFIX}/spacetime/rotate-key", "control.rotate_key", handlers.rotate_key),
            Route("POST", f"{PREFIX}/intuition/api-keys", "control.issue_api_key", handlers.issue_api_key),
            Route("DELETE", f"{PREFIX}/intuition/api-keys", "control.revoke_api_key", handlers.revoke_api_key),
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
