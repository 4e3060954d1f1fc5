"""The table of the control routes. They listen only to whoever may steer the emulator: see `Guard`."""

from emulator.axum import Answer, Handler, Route, Routes, json_answer, nearest, with_headers
from emulator.control.handlers import Control
from emulator.errors import Misconfigured
from emulator.guard import PREFIX, ControlRefused, Guard
from emulator.operation import Operation
from emulator.stage import Stage
from emulator.web import Call


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


def control(stage: Stage, guard: Guard) -> Handler:
    """The handler of everything under `/_emulator`."""
    handlers = Control(stage)
    routes = Routes.of(OPERATIONS, {each.name: getattr(handlers, each.name.partition(".")[2]) for each in OPERATIONS})

    async def handle(call: Call) -> Answer:
        try:
            guard.check(call)
            return await _route(call, routes).handler(call)
        except ControlRefused as refused:
            answer = json_answer({"error": refused.text, "hint": refused.hint}, refused.status)
            return with_headers(answer, refused.headers)
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
        hint = f"{resource.path} has {resource.allowed}"
        raise ControlRefused(405, f"{call.method} is not allowed here", hint, resource.allow)
    return route
