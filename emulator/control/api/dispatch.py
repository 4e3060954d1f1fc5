"""Finds the handler of a control call, once `Guard` lets it pass, and renders refusals."""

from collections.abc import Awaitable, Callable

from emulator.control.api.access import ControlRefused, Guard
from emulator.control.api.handlers import Control
from emulator.control.api.routes import OPERATIONS
from emulator.core.errors import Misconfigured
from emulator.http.request import Request
from emulator.http.response import Response, json_response, with_headers
from emulator.http.routing import Route, Routes, nearest_path
from emulator.world.stage import Stage

ControlHandler = Callable[[Request], Awaitable[Response]]


def control(stage: Stage, guard: Guard) -> ControlHandler:
    """The handler of all requests under `/_emulator`."""
    handlers = Control(stage)
    routes = Routes.of(OPERATIONS, {each.name: getattr(handlers, each.name.partition(".")[2]) for each in OPERATIONS})

    async def handle(request: Request) -> Response:
        try:
            guard.check(request)
            return await _route(request, routes).handler(request)
        except ControlRefused as refused:
            response = json_response({"error": refused.text, "hint": refused.hint}, refused.status)
            return with_headers(response, refused.headers)
        except Misconfigured as error:
            return json_response({"error": str(error), "hint": "nothing was changed"}, 400)

    return handle


def _route(request: Request, routes: Routes[ControlHandler]) -> Route[ControlHandler]:
    match = routes.find(request.method, request.path)
    if match is None:
        near = nearest_path(request.path, routes.paths)
        hint = f"did you mean {near}?" if near else f"the control routes are {', '.join(routes.paths)}"
        raise ControlRefused(404, f"no control route {request.path}", hint)
    if match.route is None:
        resource = match.resource
        hint = f"{resource.path} allows {resource.allowed}"
        raise ControlRefused(405, f"{request.method} is not allowed here", hint, resource.allow)
    request.params = match.params
    return match.route
