"""What both real servers do because they are axum on hyper: routing, heads, 404, 405, OPTIONS, HEAD, path decoding.

Recorded from axum 0.7.9 and hyper 1.7.0; docs/fidelity.md, Heads.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec

from emulator.core.errors import Refused
from emulator.core.suggestions import nearest
from emulator.http.operation import Operation
from emulator.http.request import Request
from emulator.http.response import CORS, PREFLIGHT, Response, with_headers

H = TypeVar("H")
S = TypeVar("S")


Handler = Callable[[Request, S], Awaitable[Response]]
"""What answers an operation of an API, given the API's store."""


class Route(msgspec.Struct, Generic[H], frozen=True):
    """One way to an operation. `path` is axum's: `/v1/identity/:identity/verify`."""

    method: str
    path: str
    operation: Operation
    handler: H


class Resource(Generic[H]):
    """What lives at one path: a handler for each method."""

    def __init__(self, path: str, routes: Iterable[Route[H]]) -> None:
        self.path = path
        self.routes = {route.method: route for route in routes}
        self.pattern = re.compile(_pattern(path), re.DOTALL)
        # axum lists GET with its HEAD and no blank between them.
        self.allowed = ",".join("GET,HEAD" if method == "GET" else method for method in self.routes)
        self.allow = f"allow: {self.allowed}\r\n".encode()

    def route(self, method: str) -> Route[H] | None:
        """HEAD is answered by GET's handler."""
        return self.routes.get("GET" if method == "HEAD" else method)


def _pattern(path: str) -> str:
    """A parameter is one segment, which may be empty unless it is the last (matchit 0.7.3)."""
    segments = [re.escape(segment) if not segment.startswith(":") else "([^/]*)" for segment in path.split("/")]
    if path.rpartition("/")[2].startswith(":"):
        segments[-1] = "([^/]+)"
    return "/".join(segments)


class Match(msgspec.Struct, Generic[H], frozen=True):
    """Where a method and a path lead; without a `route` the path has no such method."""

    resource: Resource[H]
    params: tuple[str, ...]
    """The path's, still escaped."""
    route: Route[H] | None

    def aliases(self, path: str) -> tuple[str, ...]:
        """All paths that mean what `path` means."""
        return (path,) if self.route is None else self.route.operation.aliases(path, self.params)


class Routes(Generic[H]):
    """A table of routes, found by the raw path."""

    def __init__(self, routes: Iterable[Route[H]]) -> None:
        table: dict[str, list[Route[H]]] = {}
        for route in routes:
            table.setdefault(route.path, []).append(route)
        resources = [Resource(path, rows) for path, rows in table.items()]
        self.paths = tuple(table)
        self._static = {resource.path: resource for resource in resources if ":" not in resource.path}
        self._dynamic = [resource for resource in resources if ":" in resource.path]

    @classmethod
    def of(cls, operations: Iterable[Operation], handlers: Mapping[str, H]) -> "Routes[H]":
        """Operations and what answers them, by their names."""
        return cls(Route(each.method, path, each, handlers[each.name]) for each in operations for path in each.paths)

    def find(self, method: str, path: str) -> Match[H] | None:
        """Where a raw path leads; None when nothing is there."""
        resource = self._static.get(path)
        if resource is not None:
            return Match(resource, (), resource.route(method))
        for resource in self._dynamic:
            if found := resource.pattern.fullmatch(path):
                return Match(resource, found.groups(), resource.route(method))
        return None


class Api(msgspec.Struct, Generic[S], frozen=True):
    """An API as axum serves it.

    `describe` renders a refusal in the API's own words. With `cors`, every matched route carries the CORS headers and
    answers OPTIONS before anything else is looked at; 404s never do, since no route was matched. `elsewhere` says of
    paths the API has not got why somebody may look for them here.
    """

    name: str
    routes: Routes[Handler[S]]
    describe: Callable[[Refused], Response]
    cors: bool = False
    elsewhere: Mapping[str, str] = msgspec.field(default_factory=dict)

    async def response(self, request: Request, match: Match[Handler[S]], store: S) -> Response:
        if match.route is None:
            return self._no_such_method(request, match.resource)
        try:
            response = await match.route.handler(request, store)
        except Refused as refused:
            response = self.describe(refused)
        return self.with_cors(response)

    def with_cors(self, response: Response) -> Response:
        """With the headers that every matched route's answers carry."""
        return with_headers(response, CORS) if self.cors else response

    def _no_such_method(self, request: Request, resource: Resource[Handler[S]]) -> Response:
        if request.method == "OPTIONS" and self.cors:
            return Response(200, headers=PREFLIGHT + resource.allow)
        headers = (CORS if self.cors else b"") + resource.allow
        return Response(405, headers=headers, why=f"{resource.path} has no {request.method}; it has {resource.allowed}")


def nearest_path(path: str, known: Iterable[str]) -> str | None:
    """The known path most like `path`. Ids count as parameters, so that their length does not outweigh the rest."""
    known = tuple(known)
    if path.rstrip("/") in known:
        return path.rstrip("/")
    blurred = {_PARAMETER.sub(":", template): template for template in known}
    wanted = "/".join(segment if len(segment) <= _LONGEST_WORD else ":" for segment in path.split("/")[:20])
    match = nearest(wanted, blurred, cutoff=0.75)
    return None if match is None else blurred[match]


_PARAMETER = re.compile(":[a-z]+")
_LONGEST_WORD = 20
