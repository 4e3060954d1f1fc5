"""Finds the handler of a control call, once `Guard` lets it pass, renders refusals, and logs what was asked."""

from emulator.control.api.access import ControlRefused, Guard
from emulator.control.api.handlers.base import ControlHandler
from emulator.control.api.handlers.table import handlers
from emulator.control.api.replacing import Replacing, client_of
from emulator.control.api.routes import OPERATIONS, PREFIX
from emulator.control.worlds import NoRoom, WorldServers
from emulator.core.clock import monotonic
from emulator.core.errors import Misconfigured, in_any_language
from emulator.http.request import Request
from emulator.http.response import Response, json_response, with_headers
from emulator.http.routing import Route, Routes, nearest_path
from emulator.journal.log import log_control
from emulator.world.stage import Stage

_READING = frozenset({"GET", "HEAD"})
_CHANGE_NOTHING = frozenset({"control.inspect_token"})
"""Operations that only ask, though they have a body."""


def control(stage: Stage, guard: Guard, worlds: WorldServers) -> ControlHandler:
    """The handler of all requests under `/_emulator`."""
    routes, replacing = Routes.of(OPERATIONS, handlers(stage, worlds, guard.token)), Replacing()

    async def handle(request: Request) -> Response:
        began, operation = monotonic(), ""
        try:
            guard.check(request)
            route = _route(request, routes)
            operation = route.operation.name
            response = await route.handler(request)
            stage.changes += request.method not in _READING and operation not in _CHANGE_NOTHING
            replacing.done(operation, request)
        except ControlRefused as refused:
            response = json_response({"error": refused.text, "hint": refused.hint}, refused.status, refused.text)
            response = with_headers(response, refused.headers)
        except NoRoom as error:
            response = json_response({"error": error.text, "hint": error.hint}, 409, str(error))
        except Misconfigured as error:
            text = in_any_language(error)
            response = json_response({"error": text, "hint": "nothing was changed"}, 400, text)
        why = ", ".join(filter(None, (response.why, f"by {_caller(request)}")))
        seconds = monotonic() - began
        log_control(request.method, request.path, operation, response.status, why=why, seconds=seconds)
        return response

    return handle


def _caller(request: Request) -> str:
    """The address and the program: who has reset my world?"""
    return f"{request.remote} {client_of(request) or request.header('user-agent') or ''}".strip()


def _route(request: Request, routes: Routes[ControlHandler]) -> Route[ControlHandler]:
    match = routes.find(request.method, request.path)
    if match is None:
        named = request.path.removeprefix(PREFIX).strip("/")
        near = nearest_path(request.path, routes.paths) if named else None
        hint = f"did you mean {near}?" if near else f"the control routes are {', '.join(routes.paths)}"
        raise ControlRefused(404, f"no control route {request.path}", hint)
    if match.route is None:
        resource = match.resource
        hint = f"{resource.path} allows {resource.allowed}"
        raise ControlRefused(405, f"{request.method} is not allowed here", hint, resource.allow)
    request.params = match.params
    return match.route
