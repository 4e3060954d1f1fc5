"""The chain of handlers for every request: control routes, or journal, routing, faults, stub or API."""

from emulator.control.api.access import Guard
from emulator.control.api.dispatch import control
from emulator.control.api.routes import PREFIX
from emulator.control.worlds import WorldServers
from emulator.http.response import Response
from emulator.server.call import Call, CallHandler, Served
from emulator.server.caller import actor_of
from emulator.server.fault_injection import with_faults
from emulator.server.journaling import with_journal
from emulator.server.not_found import not_found, why_not_found
from emulator.server.stubbed import find_stub, stubbed
from emulator.services.intuition import handlers as intuition_handlers
from emulator.services.intuition import model as intuition_model
from emulator.services.spacetimedb import handlers as spacetime_handlers
from emulator.services.spacetimedb import releases as spacetime_releases
from emulator.world.stage import Stage


def emulated_apis() -> CallHandler:
    """The handler for the requests of both APIs, in any world; to make its tables takes time and memory."""
    return with_routing(with_faults(dispatch))


def application(stage: Stage, guard: Guard, worlds: WorldServers, apis: CallHandler) -> CallHandler:
    """The handler for all requests to one world's port."""
    emulated = with_journal(apis, stage.shows)
    controlled = control(stage, guard, worlds)

    async def handle(call: Call) -> Response:
        return await (controlled(call.request) if _is_below(call.request.path, PREFIX) else emulated(call))

    return handle


def with_routing(next_handler: CallHandler) -> CallHandler:
    """Match a request to an API's route, in the profiles of its world, or to a stub."""
    spacetimes = {name: spacetime_handlers.api(profile) for name, profile in spacetime_releases.PROFILES.items()}
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
        if match is not None:
            call.api, call.match, call.store, request.params = api, match, store, match.params
        if len(world.stubs):
            find_stub(call, Served(api.name, {v1.name: (v1, world.spacetime), root.name: (root, world.intuition)}))
        if call.api is None:
            call.why_not = why_not_found(request, api, (v1, root))
        call.actor = actor_of(call)
        return await next_handler(call)

    return handle


async def dispatch(call: Call) -> Response:
    """The response of the stub or of the API, or 404 when neither API has the path."""
    if call.stub is not None:
        return await stubbed(call, dispatch)
    if call.api is None or call.match is None:
        return not_found(call.request, call.why_not)
    return await call.api.response(call.request, call.match, call.store)


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/")
