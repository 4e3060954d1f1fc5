"""The wiring diagram: which request goes where, and through what."""

from emulator.axum import Answer, Api, nearest
from emulator.caller import actor_of
from emulator.control.api import control
from emulator.exchange import path_pattern
from emulator.faulty import faulty
from emulator.guard import PREFIX, Guard
from emulator.intuition import handlers as intuition_handlers
from emulator.intuition import model as intuition_model
from emulator.spacetime import handlers as spacetime_handlers
from emulator.spacetime import model as spacetime_model
from emulator.stage import Stage
from emulator.web import Call, Handler, journaled


def application(stage: Stage, guard: Guard) -> Handler:
    """Everything the port answers."""
    emulated = journaled(routed(faulty(answered)), stage.shows)
    steered = control(stage, guard)

    async def handle(call: Call) -> Answer:
        return await (steered if _is_below(call.path, PREFIX) else emulated)(call)

    return handle


def routed(handler: Handler) -> Handler:
    """Find what a request asks for, in the profiles its world speaks."""
    spacetimes = {name: spacetime_handlers.api(profile) for name, profile in spacetime_model.PROFILES.items()}
    intuitions = {
        (name, cors): intuition_handlers.api(profile, cors=cors)
        for name, profile in intuition_model.PROFILES.items()
        for cors in (False, True)
    }

    async def handle(call: Call) -> Answer:
        world = call.world
        v1 = spacetimes[world.spacetime.profile.name]
        root = intuitions[world.intuition.profile.name, world.intuition.cors]
        api = v1 if _is_below(call.path, "/v1") else root
        if found := api.routes.find(call.path):
            call.bind(api, *found)
        else:
            call.why_not = _why_not_found(call, api, (v1, root))
        call.actor = actor_of(call)
        return await handler(call)

    return handle


async def answered(call: Call) -> Answer:
    """What the API says, or that neither has the path."""
    if call.api is None or call.resource is None:
        return Answer(404, why=call.why_not)
    return await call.api.answer(call, call.resource)


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/")


def _why_not_found(call: Call, api: Api, apis: tuple[Api, Api]) -> str:
    asked = f"{call.method} {call.path[:200]}"
    for pattern, why in api.elsewhere.items():
        if path_pattern(pattern).fullmatch(call.path):
            return f"{asked}: {why}"
    near = nearest(call.path, [known for each in apis for known in each.routes.paths])
    return f"{asked}: no such route; did you mean {near}?" if near else f"{asked}: no such route"
