"""Routing as in axum 0.7 on hyper, which both real servers use: 404, 405, OPTIONS, HEAD, CORS headers.

Recorded from axum 0.7.9 and hyper 1.7.0 (docs/fidelity.md, Heads).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from emulator.core.errors import Refused
from emulator.core.suggestions import nearest
from emulator.http.operation import ANY_METHOD, Operation
from emulator.http.request import Request
from emulator.http.response import CORS, PREFLIGHT, Response, followed_by, with_headers

H = TypeVar("H")
S = TypeVar("S")


Handler = Callable[[Request, S], Awaitable[Response]]
"""A coroutine function that responds to an operation, given its API's store."""


class Route(msgspec.Struct, Generic[H], frozen=True):
    """A method and a path of an operation, the path in axum's syntax: `/v1/identity/:identity/verify`."""

    method: str
    path: str
    operation: Operation
    handler: H


class Resource(Generic[H]):
    """The routes of one path, by method."""

    def __init__(self, path: str, routes: Iterable[Route[H]]) -> None:
        self.path = path
        self.routes = {route.method: route for route in routes}
        # axum lists HEAD with GET, and puts no space after the comma.
        self.allowed = ",".join("GET,HEAD" if method == "GET" else method for method in self.routes)
        self.allow = b"" if ANY_METHOD in self.routes else f"allow: {self.allowed}\r\n".encode()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a first path is compared with it: a start would take several milliseconds longer."""
        return re.compile(_pattern(self.path), re.DOTALL)

    def route(self, method: str) -> Route[H] | None:
        """The route of a method. As in axum, GET's handler also answers HEAD."""
        return self.routes.get("GET" if method == "HEAD" else method) or self.routes.get(ANY_METHOD)


def _pattern(path: str) -> str:
    """A parameter is one segment, which may be empty unless it is the last; `*path` is the rest (matchit 0.7.3)."""
    segments = [re.escape(segment) if not segment.startswith(":") else "([^/]*)" for segment in path.split("/")]
    last = path.rpartition("/")[2]
    if last.startswith((":", "*")):
        segments[-1] = "([^/]+)" if last.startswith(":") else "(.+)"
    return "/".join(segments)


class Match(msgspec.Struct, Generic[H], frozen=True):
    """The resource of a path; `route` is None when it has no such method (405)."""

    resource: Resource[H]
    params: tuple[str, ...]
    """The values in the path, percent-encoded."""
    route: Route[H] | None

    def aliases(self, path: str) -> tuple[str, ...]:
        """`path`, and every other path of its operation with the same parameters."""
        return (path,) if self.route is None else self.route.operation.aliases(path, self.params)


class Routes(Generic[H]):
    """A table of routes, matched on the raw path."""

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
        """Routes of operations, with their handlers by operation name."""
        return cls(Route(each.method, path, each, handlers[each.name]) for each in operations for path in each.paths)

    def find(self, method: str, path: str) -> Match[H] | None:
        """The match of a raw path; None when no route has it (404)."""
        resource = self._static.get(path)
        if resource is not None:
            return Match(resource, (), resource.route(method))
        for resource in self._dynamic:
            if found := resource.pattern.fullmatch(path):
                return Match(resource, found.groups(), resource.route(method))
        return None


class Api(msgspec.Struct, Generic[S], frozen=True):
    """An API as axum serves it.

    `describe` renders an error in the API's format. With `cors`, responses of all matched routes have the CORS headers,
    a 404 has none, and OPTIONS is answered before any other check (crates/client-api/src/routes/mod.rs), with the names
    of `cors_headers`. `no_such_method` has the handlers of paths that judge a request before its method, by path; an
    empty 405 stands for all others.
    `elsewhere` gives the reason for a 404 of known paths, by pattern, that the emulator does not have.
    """

    name: str
    routes: Routes[Handler[S]]
    describe: Callable[[Refused], Response]
    cors: bool = False
    cors_headers: tuple[str, ...] = ("authorization", "accept", "content-type")
    elsewhere: Mapping[str, str] = msgspec.field(default_factory=dict)
    no_such_method: Mapping[str, Handler[S]] = msgspec.field(default_factory=dict)

    async def response(self, request: Request, match: Match[Handler[S]], store: S) -> Response:
        if request.method == "OPTIONS" and self.cors:
            return self._preflight(match.resource)
        if match.route is None:
            handler = self.no_such_method.get(match.resource.path, _no_such_method)
        else:
            handler = match.route.handler
        try:
            response = await handler(request, store)
        except Refused as refused:
            response = self.describe(refused)
        # CORS is a layer around the routes, and axum adds `allow` at last.
        response = followed_by(response, CORS) if self.cors else response
        return response if match.route is not None else _allowing(response, request, match.resource)

    def with_cors(self, response: Response) -> Response:
        """Add the headers that responses of every matched route have."""
        return with_headers(response, CORS) if self.cors else response

    def _preflight(self, resource: Resource[Handler[S]]) -> Response:
        allowed = ",".join(self.cors_headers).encode()
        return Response(200, headers=PREFLIGHT % allowed + resource.allow)


async def _no_such_method(request: Request, store: object) -> Response:
    return Response(405)


def _allowing(response: Response, request: Request, resource: Resource[Any]) -> Response:
    """With what the path allows, also when something else than the method was refused."""
    response = followed_by(response, resource.allow)
    if response.status != 405:
        return response
    why = f"{resource.path} has no {request.method}; it has {resource.allowed}"
    return msgspec.structs.replace(response, why=why)


def nearest_path(path: str, known: Iterable[str]) -> str | None:
    """The known path most similar to `path`. Long segments (ids) are compared as parameters."""
    known = tuple(known)
    if path.rstrip("/") in known:
        return path.rstrip("/")
    if (near := _nearest_by_segments(path, known)) is not None:
        return near
    blurred = {_PARAMETER.sub(":", template): template for template in known}
    wanted = "/".join(segment if len(segment) <= _LONGEST_WORD else ":" for segment in path.split("/")[:20])
    match = nearest(wanted, blurred, cutoff=0.75)
    return None if match is None else blurred[match]


def _nearest_by_segments(path: str, known: Iterable[str]) -> str | None:
    """The known path with the same prefix and as many segments, each of which is equal, similar or a parameter."""
    segments = path[:_LONGEST_COMPARED].split("/")
    likeness = {template: _likeness(segments, template.split("/")) for template in known}
    best = max(likeness, key=likeness.__getitem__, default="")
    return best if likeness.get(best) else None


def _likeness(segments: list[str], template: list[str]) -> float:
    """0 when they are not alike."""
    if len(segments) != len(template) or segments[1] != template[1]:
        return 0.0
    pairs = zip(segments[2:], template[2:], strict=True)
    each = [_PARAMETER_LIKENESS if known.startswith(":") else _similarity(sent, known) for sent, known in pairs]
    return sum(each) if each and min(each) > 0 else 0.0


def _similarity(sent: str, known: str) -> float:
    if sent == known:
        return 1.0
    return _SIMILAR if nearest(sent, [known]) else 0.0


_PARAMETER_LIKENESS, _SIMILAR = 0.5, 0.7
_LONGEST_COMPARED = 500
"""Characters of a path."""

_PARAMETER = re.compile(r":\w+")
_LONGEST_WORD = 20
