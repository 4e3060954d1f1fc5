"""The wiring diagram: which request goes where, and through what."""

from emulator.axum import Answer, Api, nearest
from emulator.control import control
from emulator.exchange import path_pattern
from emulator.guard import PREFIX, Guard
from emulator.intuition import handlers as intuition_handlers
from emulator.intuition import model as intuition_model
from emulator.spacetime import handlers as spacetime_handlers
from emulator.spacetime import model as spacetime_model
from emulator.web import Call, Handler, journaled
from emulator.world import Stage, World


def application(stage: Stage, guard: Guard) -> Handler:
    """Everything the port answers."""
    emulated = journaled(_emulated(), lambda: stage.world)
    steered = control(stage, guard)

    async def handle(call: Call) -> Answer:
        return await (steered if _is_below(call.path, PREFIX) else emulated)(call)

    return handle


def _emulated() -> Handler:
    """The two APIs, each in the profile of the call's world."""
    spacetimes = {name: spacetime_handlers.api(profile) for name, profile in spacetime_model.PROFILES.items()}
    intuitions = {name: intuition_handlers.api(profile) for name, profile in intuition_model.PROFILES.items()}

    def apis(world: World) -> tuple[Api, Api]:
        return spacetimes[world.spacetime.profile.name], intuitions[world.intuition.profile.name]

    async def handle(call: Call) -> Answer:
        v1, root = apis(call.world)
        api = v1 if _is_below(call.path, "/v1") else root
        found = api.routes.find(call.path)
        if found is None:
            call.matched = False
            return Answer(404, why=f"{call.method} {call.path[:200]}: {_why_not_found(call.path, api, (v1, root))}")
        resource, call.params = found
        return await api.answer(call, resource)

    return handle


def _is_below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/")


def _why_not_found(path: str, api: Api, apis: tuple[Api, Api]) -> str:
    for pattern, why in api.elsewhere.items():
        if path_pattern(pattern).fullmatch(path):
            return why
    near = nearest(path, [known for each in apis for known in each.routes.paths])
    return f"no such route; did you mean {near}?" if near else "no such route"
