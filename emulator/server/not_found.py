"""What is said where neither API has a path: why, and which one was probably meant; to a browser, what this is."""

from typing import Any

from emulator.core.path_pattern import PathPattern
from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Api, nearest_path


def why_not_found(request: Request, api: Api[Any], apis: tuple[Api[Any], ...]) -> str:
    requested = f"{request.method} {request.path[:200]}"
    for pattern, why in api.elsewhere.items():
        if PathPattern(pattern).matches(request.path):
            return f"{requested}: {why}; {_CAN_BE_STUBBED}"
    below = _BELOW_V1 if request.path.startswith(_BELOW_V1) else ""
    near = nearest_path(
        request.path, [known for each in apis for known in each.routes.paths if known.startswith(below)]
    )
    suggested = f"; did you mean {near}? Else {_CAN_BE_STUBBED}" if near else f"; {_CAN_BE_STUBBED}"
    return f"{requested}: no such route{suggested}"


_BELOW_V1 = "/v1/"
"""Where clients of SpacetimeDB are: no path of the other API is what they meant."""
_CAN_BE_STUBBED = "a stub can answer it"
"""docs/stubs.md says how."""


_HTML = "text/html; charset=utf-8"
_FOR_PEOPLE = (
    b"<p>identity-emulator: SpacetimeDB is at /v1/identity, Intuition at /identity, "
    b'what was requested and why it was refused at <a href="/_emulator/">/_emulator/</a>.</p>\n'
)


def not_found(request: Request, why: str) -> Response:
    """The APIs' 404 without a body; with one line for a person who opens the root in a browser. Our choice."""
    if request.path == "/" and any("text/html" in value.lower() for value in request.header_values("accept")):
        return Response(404, _FOR_PEOPLE, _HTML, why=why)
    return Response(404, why=why)
