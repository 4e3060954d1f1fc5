"""What both real servers do because they are axum on hyper: routing, heads, 404, 405, OPTIONS, HEAD, path decoding.

Recorded from axum 0.7.9 and hyper 1.7.0; docs/fidelity.md, Heads.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from emulator.errors import Refused
from emulator.faults import Delivery
from emulator.operation import Operation
from emulator.request import Request

H = TypeVar("H")
S = TypeVar("S")

CORS = (
    b"vary: origin, access-control-request-method, access-control-request-headers\r\naccess-control-allow-origin: *\r\n"
)
PREFLIGHT = (
    b"access-control-allow-origin: *\r\n"
    b"vary: origin, access-control-request-method, access-control-request-headers\r\n"
    b"access-control-allow-methods: *\r\n"
    b"access-control-allow-headers: authorization,accept,content-type\r\n"
)
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


class Answer(msgspec.Struct, frozen=True):
    """What goes back. `headers` are whole lines that stand behind `content-type`; `why` goes to the journal only.

    With a `delivery` it does not arrive whole; a `status` of 0 is no answer at all, and `cut` is how many bytes of a
    truncated body are sent.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: bytes = b""
    why: str = ""
    delivery: Delivery | None = None
    cut: int = 0


def json_answer(value: object, status: int = 200, why: str = "") -> Answer:
    """Compact, raw UTF-8, a bare content type: as serde_json and axum write it."""
    return Answer(status, msgspec.json.encode(value), JSON, why=why)


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@lru_cache(maxsize=512)
def head_start(minor: int, status: int, content_type: str, headers: bytes, connection: str) -> bytes:
    """A head up to where `content-length` comes. Few differ, so each is made once."""
    first = f"HTTP/1.{minor} {status} {_PHRASES.get(status, '')}\r\n"
    end = f"connection: {connection}\r\n" if connection else ""
    return first.encode() + head_lines(content_type, headers) + end.encode()


@lru_cache(maxsize=512)
def head_lines(content_type: str, headers: bytes) -> bytes:
    """The header lines that are the answer's own."""
    return (f"content-type: {content_type}\r\n".encode() if content_type else b"") + headers


def has_content_length(method: str, status: int) -> bool:
    """hyper leaves it out of a 204, unless HEAD asked."""
    return status != 204 or method == "HEAD"


Handler = Callable[[Request, S], Awaitable[Answer]]
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
    describe: Callable[[Refused], Answer]
    cors: bool = False
    elsewhere: Mapping[str, str] = msgspec.field(default_factory=dict)

    async def answer(self, request: Request, match: Match[Handler[S]], store: S) -> Answer:
        if match.route is None:
            return self._no_such_method(request, match.resource)
        try:
            answer = await match.route.handler(request, store)
        except Refused as refused:
            answer = self.describe(refused)
        return self.dressed(answer)

    def dressed(self, answer: Answer) -> Answer:
        """With the headers that every matched route's answers carry."""
        return with_headers(answer, CORS) if self.cors else answer

    def _no_such_method(self, request: Request, resource: Resource[Handler[S]]) -> Answer:
        if request.method == "OPTIONS" and self.cors:
            return Answer(200, headers=PREFLIGHT + resource.allow)
        headers = (CORS if self.cors else b"") + resource.allow
        return Answer(405, headers=headers, why=f"{resource.path} has no {request.method}; it has {resource.allowed}")


def with_headers(answer: Answer, headers: bytes) -> Answer:
    return Answer(
        answer.status,
        answer.body,
        answer.content_type,
        headers + answer.headers,
        answer.why,
        answer.delivery,
        answer.cut,
    )


def nearest(path: str, known: Iterable[str]) -> str | None:
    """The known path most like `path`. Ids count as parameters, so that their length does not outweigh the rest."""
    from difflib import get_close_matches

    known = tuple(known)
    if path.rstrip("/") in known:
        return path.rstrip("/")
    blurred = {_PARAMETER.sub(":", template): template for template in known}
    wanted = "/".join(segment if len(segment) <= _LONGEST_WORD else ":" for segment in path.split("/")[:20])
    match = get_close_matches(wanted, blurred, n=1, cutoff=0.75)
    return blurred[match[0]] if match else None


_PARAMETER = re.compile(":[a-z]+")
_LONGEST_WORD = 20


def path_text(escaped: str, name: str) -> str:
    """A path parameter, percent-decoded once. Raises ValueError with axum's sentence when that is no UTF-8."""
    if "%" not in escaped and escaped.isascii():
        return escaped
    try:
        return unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError:
        raise ValueError(f"Invalid UTF-8 in `{name}`") from None


def query_pairs(query: str) -> list[tuple[str, str]]:
    """form_urlencoded: `+` is a blank, escapes that are no UTF-8 are replaced, a key without `=` has an empty value."""
    raw = query.encode("utf-8", "surrogateescape").replace(b"+", b" ")
    pairs = (pair.partition(b"=") for pair in raw.split(b"&") if pair)
    return [(_form_text(key), _form_text(value)) for key, _, value in pairs]


def _form_text(escaped: bytes) -> str:
    return unquote_to_bytes(escaped).decode("utf-8", "replace")


def query_field(query: str, name: str) -> str | None:
    """The only value of `name`; None when it is missing or there twice, as for a failed `Query` extractor."""
    if name not in query and "%" not in query:
        return None
    values = [value for key, value in query_pairs(query) if key == name]
    return values[0] if len(values) == 1 else None
