"""The table of the control routes. They listen only to whoever may steer the emulator: see `Guard`."""

from collections.abc import Awaitable, Callable

from emulator.axum import Answer, Route, Routes, json_answer, nearest, with_headers
from emulator.control.handlers import Control
from emulator.errors import Misconfigured
from emulator.guard import PREFIX, ControlRefused, Guard
from emulator.operation import Operation
from emulator.request import Request
from emulator.stage import Stage


def _operation(name: str, method: str, path: str) -> Operation:
    return Operation(f"control.{name}", method, (f"{PREFIX}{path}",))


OPERATIONS = (
    _operation("health", "GET", "/health"),
    _operation("state", "GET", "/state"),
    _operation("reset", "POST", "/reset"),
    _operation("scenario", "GET", "/scenario"),
    _operation("load_scenario", "POST", "/scenario"),
    _operation("actors", "GET", "/actors"),
    _operation("journal", "GET", "/journal"),
    _operation("clear_journal", "DELETE", "/journal"),
    _operation("journal_curl", "GET", "/journal/:n/curl"),
    _operation("clock", "GET", "/clock"),
    _operation("move_clock", "POST", "/clock"),
    _operation("faults", "GET", "/faults"),
    _operation("add_fault", "POST", "/faults"),
    _operation("clear_faults", "DELETE", "/faults"),
    _operation("snapshot", "GET", "/snapshot"),
    _operation("restore", "PUT", "/snapshot"),
    _operation("sign_token", "POST", "/spacetime/tokens"),
    _operation("rotate_key", "POST", "/spacetime/rotate-key"),
    _operation("issue_api_key", "POST", "/intuition/api-keys"),
    _operation("revoke_api_key", "DELETE", "/intuition/api-keys"),
    _operation("move_identity", "POST", "/intuition/status"),
    _operation("set_lifecycle", "POST", "/intuition/lifecycle"),
    _operation("openapi", "GET", "/openapi.json"),
)


ControlHandler = Callable[[Request], Awaitable[Answer]]


def control(stage: Stage, guard: Guard) -> ControlHandler:
    """The handler of everything under `/_emulator`."""
    handlers = Control(stage)
    routes = Routes.of(OPERATIONS, {each.name: getattr(handlers, each.name.partition(".")[2]) for each in OPERATIONS})

    async def handle(request: Request) -> Answer:
        try:
            guard.check(request)
            return await _route(request, routes).handler(request)
        except ControlRefused as refused:
            answer = json_answer({"error": refused.text, "hint": refused.hint}, refused.status)
            return with_headers(answer, refused.headers)
        except Misconfigured as error:
            return json_answer({"error": str(error), "hint": "nothing was changed"}, 400)

    return handle


def _route(request: Request, routes: Routes[ControlHandler]) -> Route[ControlHandler]:
    match = routes.find(request.method, request.path)
    if match is None:
        near = nearest(request.path, routes.paths)
        hint = f"did you mean {near}?" if near else f"there is {', '.join(routes.paths)}"
        raise ControlRefused(404, f"no control route {request.path}", hint)
    if match.route is None:
        resource = match.resource
        hint = f"{resource.path} has {resource.allowed}"
        raise ControlRefused(405, f"{request.method} is not allowed here", hint, resource.allow)
    request.params = match.params
    return match.route
