"""Why a path was not found, and which one was probably meant: the private reason of a 404."""

from typing import Any

from emulator.core.path_pattern import PathPattern
from emulator.http.request import Request
from emulator.http.routing import Api, nearest_path


def why_not_found(request: Request, api: Api[Any], apis: tuple[Api[Any], ...]) -> str:
    requested = f"{request.method} {request.path[:200]}"
    for pattern, why in api.elsewhere.items():
        if PathPattern(pattern).matches(request.path):
            return f"{requested}: {why}; {_CAN_BE_STUBBED}"
    near = nearest_path(request.path, [known for each in apis for known in each.routes.paths])
    suggested = f"; did you mean {near}? Else {_CAN_BE_STUBBED}" if near else f"; {_CAN_BE_STUBBED}"
    return f"{requested}: no such route{suggested}"


_CAN_BE_STUBBED = "a stub can answer it"
"""docs/stubs.md says how."""
