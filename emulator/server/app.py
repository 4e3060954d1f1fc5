"""The chain of handlers for every request: control routes, or journal, routing, faults, API."""

from typing import Any

from emulator.control.api.access import Guard
from emulator.control.api.operations import PREFIX
from emulator.control.api.routes import control
from emulator.core.path_pattern import PathPattern
from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Api, nearest_path
from emulator.server.call import Call, CallHandler
from emulator.server.caller import actor_of
from emulator.server.fault_injection import with_faults
from emulator.server.journaling import with_journal
from emulator.services.intuition import handlers as intuition_handlers
from emulator.services.intuition import model as intuition_model
from emulator.services.spacetimedb import handlers as spacetime_handlers
from emulator.services.spacetimedb import model as spacetime_model
from emulator.world.stage import Stage


def application(stage: Stage, guard: Guard) -> CallHandler:
    """The handler for all requests of a server."""
    emulated = with_journal(with_routing(with_faults(dispatch)), stage.shows)
    controlled = control(stage, guard)

    async def handle(call: Call) -> Response:
        return await (controlled(call.request) if _is_below(call.request.path, PREFIX) else emulated(call))

    return handle


def with_routing(next_handler: CallHandler) -> CallHandler:
    """Match a request to an API's route, in the profiles of its world."""
    spacetimes = {name: spacetime_handlers.api(profile) for name, profile in spacetime_model.PROFILES.items()}
    intuitions = {
        (name, cors): intuition_handlers.api(profile, cors=cors)
        for name, profile in intuition_model.PROFILES.items()
        for cors in (False, True)
    }

    async def handle(call: Call) -> Response:
        request, world = call.request, call.world
        v1 = spacetimes[world.spacetime.profile.name]
        root = intuitions[world.intuition.profile.name, world.intuition.cors]
        api, store = (v1, world.spacetime) if _is_below(request.path, "/v1") else (root, world.intuition)
        match = api.routes.find(request.method, request.path)
        if match is None:
            call.why_not = _why_not_found(request, api, (v1, root))
        else:
            call.api, call.match, call.store, request.params = api, match, store, match.params
        call.actor = actor_of(call)
        return await next_handler(call)

    return handle


async def dispatch(call: Call) -> Response:
    """The API's response, or 404 when neither API has the path."""
    if call.api is None or call.match is None:
        return Response(404, why=call.why_not)
    return await call.api.response(call.request, call.match, call.store)


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/")


def _why_not_found(request: Request, api: Api[Any], apis: tuple[Api[Any], ...]) -> str:
    requested = f"{request.method} {request.path[:200]}"
    for pattern, why in api.elsewhere.items():
        if PathPattern(pattern).matches(request.path):
            return f"{requested}: {why}"
    near = nearest_path(request.path, [known for each in apis for known in each.routes.paths])
    return f"{requested}: no such route; did you mean {near}?" if near else f"{requested}: no such route"
