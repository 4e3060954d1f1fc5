"""Stubs at work: which one answers a request, whose credentials come first, and the response.

The values, and which of them fits, are in `emulator.world.stubs`.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from emulator.core.errors import Refused
from emulator.faults.delivery import Delivery
from emulator.http.request import BodyBroken, BodyTooLong, Request
from emulator.http.response import CORS, PREFLIGHT, TEXT, Response, with_given_headers
from emulator.http.routing import Api
from emulator.journal.exchange import Exchange, Message
from emulator.journal.masking import readable
from emulator.server.call import Call, CallHandler, Served
from emulator.services.intuition.auth import key_of
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb.auth import caller, caller_or_new
from emulator.services.spacetimedb.database.edge import is_in_one_chunk
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.stubs import Stub, StubAnswer, StubFunction, StubSpec, body_fields, made_stub

logger = logging.getLogger("emulator")

LARGEST_REQUEST = 32 * 1024 * 1024
"""Bytes of the body of a request that a stub answers."""


# --- which one --------------------------------------------------------------------------------------------------------


def find_stub(call: Call, served: Served) -> None:
    """Give the call the stub that answers it, if any.

    No stub answers what is emulated: a route, or OPTIONS of a path that has routes.
    """
    match, request, stubs = call.match, call.request, call.world.stubs
    if match is not None and (request.method == "OPTIONS" or (match.route and match.route.operation.emulated)):
        return
    stub = stubs.find(request.method, request.path)
    if stub is None and request.method == "OPTIONS" and served.apis[served.own][0].cors:
        stub = stubs.at(request.path)  # for a preflight request
    if stub is not None:
        _give(call, stub, served)


def _give(call: Call, stub: Stub, served: Served) -> None:
    call.stub, call.served = stub, served
    auth = stub.spec.auth
    call.api, call.store = served.apis[served.own if auth is None or auth == "none" else auth]


# --- the response -----------------------------------------------------------------------------------------------------


async def stubbed(call: Call, without: CallHandler) -> Response:
    """The response of the call's stub; if that was used up or removed meanwhile, of the next one that fits."""
    request = call.request
    while (stub := call.stub) is not None and call.api is not None and call.served is not None:
        if not stub.fits(request.method, request.path) and request.method == "OPTIONS":
            return _preflight(stub, call.api)
        try:
            who = await _JUDGES[_auth_of(stub, call.api, request.path)](request, call.store)
            body = await _body(request)
        except Refused as refused:
            return call.api.with_cors(call.api.describe(refused))
        if call.world.stubs.count(stub):
            return _framed(call, _with_lines(await _answer(call, stub, body), who + (CORS if call.api.cors else b"")))
        call.stub = None
        find_stub(call, call.served)
    return await _no_more_stubs(call, without)


async def _no_more_stubs(call: Call, without: CallHandler) -> Response:
    assert call.served is not None, "it was set with the stub"
    call.api, call.store = call.served.apis[call.served.own]
    if call.match is None:
        call.api, call.why_not = None, f"{call.request.method} {call.request.path[:200]}: its stub was just used up"
    return await without(call)


def _preflight(stub: Stub, api: Api[Any]) -> Response:
    allowed = ",".join(api.cors_headers).encode()
    return Response(200, headers=PREFLIGHT % allowed + f"allow: {stub.method}\r\n".encode())


def _with_lines(response: Response, lines: bytes) -> Response:
    """The response with header lines of the API, except those that the stub has itself; they follow the stub's."""
    own = {line.partition(b":")[0] for line in response.headers.split(b"\r\n")}
    added = [line for line in lines.splitlines(keepends=True) if line.partition(b":")[0] not in own]
    return msgspec.structs.replace(response, headers=response.headers + b"".join(added))


def _framed(call: Call, response: Response) -> Response:
    """As SpacetimeDB frames what its own routes of a database answer."""
    match = call.match
    if match is None or match.route is None:
        return response
    chunked = is_in_one_chunk(match.route.operation.name, call.request, call.world.spacetime)
    return msgspec.structs.replace(response, chunked=chunked)


# --- credentials ------------------------------------------------------------------------------------------------------

_DATABASE = "/v1/database"
_UNGUARDED = re.compile(rf"{_DATABASE}/[^/]*/route(?:/.*)?", re.DOTALL)
"""Routes that a database's module defines: the real server reads no credentials there."""


def _auth_of(stub: Stub, api: Api[Any], path: str) -> str:
    return stub.spec.auth or ("none" if _UNGUARDED.fullmatch(path) else api.name)


async def _judged_by_spacetime(request: Request, store: SpacetimeStore) -> bytes:
    """As `GET /v1/ping` judges them; below `/v1/database` every response says who the client is. Raises Refused."""
    if request.path == _DATABASE or request.path.startswith(f"{_DATABASE}/"):
        return (await caller_or_new(request, store)).headers
    await caller(request, store)
    return b""


async def _judged_by_intuition(request: Request, store: IntuitionStore) -> bytes:
    key_of(request, store)
    return b""


async def _not_judged(request: Request, store: object) -> bytes:
    return b""


_JUDGES: Mapping[str, Callable[[Request, Any], Awaitable[bytes]]] = {
    "spacetime": _judged_by_spacetime,
    "intuition": _judged_by_intuition,
    "none": _not_judged,
}
"""By whose credentials are judged: what returns the header lines that follow from them."""


async def _body(request: Request) -> bytes:
    """The whole body, which the real service would read too. Raises Refused."""
    if not request.has_body:
        return b""
    try:
        return await request.body(LARGEST_REQUEST)
    except BodyTooLong as error:
        why = f"the body has {error}; stubs take {LARGEST_REQUEST}"
        raise Refused(413, "Failed to buffer the request body: length limit exceeded", why) from None
    except BodyBroken as error:
        raise Refused(400, "Failed to buffer the request body", f"the body could not be read: {error}") from None


# --- what is answered -------------------------------------------------------------------------------------------------


async def _answer(call: Call, stub: Stub, body: bytes) -> Response:
    function = stub.function
    if function is None:
        return _response(stub.spec)
    returned = await _call_in_thread(function, _unanswered(call, body), call.request.lost)
    if returned is None:
        why = "the client hung up before the function of the stub returned"
        return Response(0, why=why, delivery=Delivery.CLOSE)
    try:
        if returned.error is not None:
            raise returned.error
        return _response(_spec_of(returned.value, stub.spec))
    except BaseException as error:  # noqa: BLE001 - whatever a test's own function raises, SystemExit too
        return _failed(stub, error)


def _failed(stub: Stub, error: BaseException) -> Response:
    shown = readable(stub.operation)
    logger.error("the function of %s failed", shown, exc_info=error)
    text = b"the function of a stub failed; the log of identity-emulator has the traceback"
    return Response(500, text, TEXT, why=f"the function of {stub.operation} failed: {type(error).__name__}: {error}")


def _response(spec: StubSpec) -> Response:
    body, content_type = spec.content
    return with_given_headers(Response(spec.status, body, content_type), spec.headers or {})


def _spec_of(value: Any, spec: StubSpec) -> StubSpec:
    """What a function returned, as if a stub had been made of it; status and headers are else the stub's own.

    Raises ValueError.
    """
    if isinstance(value, tuple) and len(value) in {2, 3} and isinstance(value[0], int):
        status, body, *headers = value
        value = StubAnswer(body, status, headers[0] if headers else None)
    if not isinstance(value, StubAnswer):
        value = StubAnswer(value, spec.status, spec.headers)
    found = {"request": spec.request, "status": value.status, "headers": value.headers and dict(value.headers)}
    return made_stub({**found, **body_fields(value.body)})


def _unanswered(call: Call, body: bytes) -> Exchange:
    """The exchange as the journal will have it, with its whole body and without a response."""
    request = call.request
    return Exchange(
        number=call.number,
        method=request.method,
        target=request.target,
        operation=call.operation,
        request=msgspec.structs.replace(request.message(), kept=body, size=len(body)),
        status=0,
        response=Message(b"", b"", 0),
        why="",
        micros=call.micros,
        duration=0.0,
        actor=call.actor,
        fault=call.fault,
    )


class _Returned(NamedTuple):
    """What a function returned or raised."""

    value: Any = None
    error: BaseException | None = None


async def _call_in_thread(function: StubFunction, exchange: Exchange, lost: "asyncio.Future[None]") -> _Returned | None:
    """Call a function in a thread of its own; None when the client hung up before.

    It may wait as long as it likes, and send requests to this server. The thread never keeps the process alive.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Returned] = loop.create_future()

    def settle(returned: _Returned) -> None:
        if not done.done():
            done.set_result(returned)

    def run() -> None:
        try:
            returned = _Returned(function(exchange))
        except BaseException as error:  # noqa: BLE001 - it is told in the loop
            returned = _Returned(error=error)
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(settle, returned)

    threading.Thread(target=run, name="identity-emulator-stub", daemon=True).start()
    both: list[asyncio.Future[Any]] = [done, lost]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    return done.result() if done.done() else None
