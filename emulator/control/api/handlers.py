"""What a test, a dashboard or another language says to the emulator itself. JSON in and out; never journaled."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from emulator.control.actors import ActorHandle
from emulator.control.api.access import ControlRefused
from emulator.control.api.body import field, json_body, needed, only, raw_body
from emulator.control.faults import FaultsHandle
from emulator.control.intuition import IntuitionHandle
from emulator.control.spacetimedb import SpacetimeHandle
from emulator.core.clock import Clock, parse_rfc3339, rfc3339
from emulator.core.version import emulator_version
from emulator.faults.step import made_step
from emulator.http.parameters import query_pairs
from emulator.http.request import Request
from emulator.http.response import JSON, TEXT, Response, json_response
from emulator.journal.report import curl
from emulator.services.intuition.refusals import NotFound
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER
from emulator.world.config import Config, Given, is_bundled_name
from emulator.world.snapshot_document import read, written
from emulator.world.stage import Stage


class Control:
    """The handlers, around the stage they steer."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def health(self, request: Request) -> Response:
        world = self._stage.settled_world()
        return json_response(
            {
                "status": "ok",
                "version": emulator_version(),
                "seed": world.seed,
                "profiles": {"spacetime": world.spacetime.profile.name, "intuition": world.intuition.profile.name},
            }
        )

    async def state(self, request: Request) -> Response:
        world = self._stage.settled_world()
        spacetime, intuition = world.spacetime, world.intuition
        return json_response(
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

    async def reset(self, request: Request) -> Response:
        """A world as new: of what was loaded, or once of another `seed` or `scenario`.

        `"scenario": null` forgets what was loaded: the world is the one the server was started with.
        """
        found = await json_body(request)
        only(found, ("seed", "scenario"))
        other = Config(seed=field(found, "seed", int, '{"seed": 7}'), scenario=_scenario(found.get("scenario")))
        if "scenario" in found and other.scenario is None:
            self._stage.restart(other)
        else:
            self._stage.reset(other.over(self._stage.config))
        return await self.health(request)

    async def scenario(self, request: Request) -> Response:
        """What the world began with, and how far each step of its script has come."""
        world = self._stage.settled_world()
        return json_response({"scenario": world.scenario, "steps": [fault.to_json() for fault in world.faults]})

    async def load_scenario(self, request: Request) -> Response:
        """Begin with `scenario`, by a bundled name, a document or a list of both; or with the document sent."""
        found = await json_body(request)
        if "version" not in found:
            only(found, ("scenario",))
            found = found.get("scenario", {})
        scenario = _scenario(found)
        if not scenario:
            raise ControlRefused(400, "no scenario", f"send {_SCENARIO_EXAMPLE} or a document")
        self._stage.load(scenario)
        return await self.scenario(request)

    async def journal(self, request: Request) -> Response:
        journal = self._stage.settled_world().journal
        try:
            found = journal.find(**_filters(request.query))
        except ValueError as error:
            raise ControlRefused(400, f"a filter can't be read: {error}", _FILTERS_EXAMPLE) from None
        exchanges = [exchange.to_json() for exchange in found]
        return json_response({"exchanges": exchanges, "total": journal.total, "dropped": journal.dropped})

    async def clear_journal(self, request: Request) -> Response:
        self._stage.settled_world().journal.clear()
        return Response(204)

    async def journal_curl(self, request: Request) -> Response:
        """A shell command that sends exchange n again, secrets included: it is asked for."""
        exchanges = self._stage.settled_world().journal.exchanges
        found = next((each for each in exchanges if str(each.number) == request.params[0]), None)
        if found is None:
            raise ControlRefused(404, f"no exchange {request.params[0][:40]!r}", "GET /_emulator/journal lists them")
        command = curl(found, f"http://{request.header('host')}", secrets=True)
        return Response(200, f"{command}\n".encode(), TEXT)

    async def clock(self, request: Request) -> Response:
        clock = self._stage.settled_world().clock
        return json_response({"now": rfc3339(clock.micros()), "frozen": clock.frozen})

    async def move_clock(self, request: Request) -> Response:
        """One of `advance` and `skew` (seconds), `freeze` (a moment, or true for now) and `resume`."""
        found = await json_body(request)
        only(found, _CLOCK_MOVES)
        if len(found) != 1:
            raise ControlRefused(400, f"{len(found)} moves at once", f"send one of {', '.join(_CLOCK_MOVES)}")
        try:
            _move(self._stage.settled_world().clock, found)
        except (ValueError, OverflowError) as error:
            raise ControlRefused(400, str(error), _CLOCK_EXAMPLE) from None
        return await self.clock(request)

    async def actors(self, request: Request) -> Response:
        """Those the scenario names, tokens and keys included: they are asked for. Of crowds only whom `name` names."""
        query = query_pairs(request.query)
        only(dict(query), ("name",))
        actors = self._stage.settled_world().actors
        asked = [actors.get(name) for _, name in query] if query else [each for each in actors if not each.crowd]
        handles = [ActorHandle(self._stage, each.name) for each in asked if each is not None]
        env = {name: value for handle in handles for name, value in handle.env().items()}
        if key := self._stage.settled_world().api_key:
            env["INTUITION_API_KEY"] = key
        return json_response({"actors": {each.name: each.to_json() for each in handles}, "env": env})

    async def faults(self, request: Request) -> Response:
        return json_response({"faults": [fault.to_json() for fault in self._stage.settled_world().faults]})

    async def add_fault(self, request: Request) -> Response:
        """A step, as scenarios have it: `request` and its conditions, and `do`."""
        try:
            fault = self._stage.settled_world().add_step(made_step(await json_body(request)))
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {_STEP_EXAMPLE}") from None
        return json_response(fault.to_json())

    async def clear_faults(self, request: Request) -> Response:
        """All, or with `{"n": 2}` one."""
        found = await json_body(request)
        only(found, ("n",))
        number = field(found, "n", int, '{"n": 2}')
        faults = FaultsHandle(self._stage)
        if number is None:
            faults.clear()
            return Response(204)
        fault = next((each for each in faults if each.number == number), None)
        if fault is None:
            raise ControlRefused(404, f"no fault {number}", "GET /_emulator/faults lists them")
        fault.remove()
        return Response(204)

    async def snapshot(self, request: Request) -> Response:
        """The world as a document, for people to compare and for PUT to read again; secrets included."""
        return Response(200, written(self._stage.settled_world()), JSON)

    async def restore(self, request: Request) -> Response:
        """Go on from a document that GET gave. A wrong one changes nothing."""
        document = await raw_body(request)
        self._stage.show(read(document, self._stage.settled_world()))
        return Response(204)

    async def sign_token(self, request: Request) -> Response:
        """`claims` under `headers`, nothing added; or with `subject` a whole token, as `issue_token` makes it."""
        found = await json_body(request)
        only(found, ("claims", "headers", "subject", "issuer", "audience", "expires_in"))
        spacetime = SpacetimeHandle(self._stage)
        subject = field(found, "subject", str, _ISSUE_EXAMPLE)
        if subject is None:
            claims = needed(found, "claims", dict, '{"claims": {"sub": "alice", "iss": "localhost", "iat": 1}}')
            return json_response({"token": spacetime.sign(claims, field(found, "headers", dict, _ISSUE_EXAMPLE))})
        token = _issue(spacetime, subject, found)
        return json_response({"token": token})

    async def rotate_key(self, request: Request) -> Response:
        self._stage.settled_world().spacetime.rotate_key()
        return Response(204)

    async def issue_api_key(self, request: Request) -> Response:
        found = await json_body(request)
        only(found, ("wallet",))
        issued = self._stage.settled_world().intuition.issue_api_key(needed(found, "wallet", str, '{"wallet": "0x81"}'))
        return json_response({"key": issued.key, "wallet": issued.wallet})

    async def revoke_api_key(self, request: Request) -> Response:
        found = await json_body(request)
        only(found, ("key",))
        key = needed(found, "key", str, '{"key": "…"}')
        try:
            self._stage.settled_world().intuition.revoke_api_key(key)
        except KeyError:
            raise ControlRefused(404, "there is no such key", "POST the wallet here to issue one") from None
        return Response(204)

    async def move_identity(self, request: Request) -> Response:
        """The row of `identity`, by its name in the scenario or any id, with its new `status`."""
        found = await json_body(request)
        only(found, ("identity", "status"))
        identity = needed(found, "identity", str, _STATUS_EXAMPLE)
        status = needed(found, "status", str, _STATUS_EXAMPLE)
        intuition = IntuitionHandle(self._stage)
        moves = {"complete": intuition.complete, "error": intuition.fail, "removed": intuition.remove}
        if status not in moves:
            raise ControlRefused(400, f"no identity becomes {status!r}", f"there is {', '.join(moves)}")
        try:
            return json_response(moves[status](identity))
        except NotFound as refused:
            raise ControlRefused(404, refused.why, "GET /identities lists them") from None

    async def set_lifecycle(self, request: Request) -> Response:
        """Whether new identities are pending, and after how many seconds of the clock they are complete."""
        found = await json_body(request)
        only(found, ("pending", "complete_after"))
        pending = needed(found, "pending", bool, _LIFECYCLE_EXAMPLE)
        after = field(found, "complete_after", (int, float), _LIFECYCLE_EXAMPLE)
        try:
            IntuitionHandle(self._stage).lifecycle(pending=pending, complete_after=after)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {_LIFECYCLE_EXAMPLE}") from None
        return Response(204)

    async def openapi(self, request: Request) -> Response:
        """Of both APIs, in the profiles they speak now, and of these routes."""
        from emulator.control.api.openapi_document import document

        world = self._stage.settled_world()
        return json_response(document(world.spacetime.profile, world.intuition.profile))


def _scenario(given: Any) -> Given | None:
    """What a client may name: files and functions are nothing to be named from outside."""
    for each in given if isinstance(given, list) else [given]:
        if not isinstance(each, dict | None) and not (isinstance(each, str) and is_bundled_name(each)):
            shown = msgspec.json.encode(each).decode()[:80]
            raise ControlRefused(400, f"`scenario` is {shown}", f"send {_SCENARIO_EXAMPLE} or a document")
    scenario: Given | None = given
    return scenario


_SCENARIO_EXAMPLE = '{"scenario": "two_friends"}'
_STEP_EXAMPLE = '{"request": "POST /identity", "nth": 2, "do": {"status": 503}}'
_STATUS_EXAMPLE = '{"identity": "…", "status": "complete"}'
_LIFECYCLE_EXAMPLE = '{"pending": true, "complete_after": 30}'
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
            issuer=field(found, "issuer", str, _ISSUE_EXAMPLE) or LOCAL_ISSUER,
            audience=tuple(audiences),
            expires_in=field(found, "expires_in", (int, float), _ISSUE_EXAMPLE),
            **field(found, "claims", dict, _ISSUE_EXAMPLE) or {},
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ControlRefused(400, str(error), f"send {_ISSUE_EXAMPLE}") from None


_FILTERS_EXAMPLE = "`status` is a number, `since` is like 2024-02-15T05:47:17Z (write + as %2B)"
_FILTERS: Mapping[str, Callable[[str], Any]] = {"method": str, "path": str, "status": int, "since": parse_rfc3339}


def _filters(query: str) -> dict[str, Any]:
    """Raises ValueError for a value that can't be read."""
    found = dict(query_pairs(query))
    only(found, tuple(_FILTERS))
    return {key: _FILTERS[key](value) for key, value in found.items()}
