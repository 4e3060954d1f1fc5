"""The effects of faults, between a route and its handler. `emulator.faults` decides, this module acts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from emulator.core.clock import LAST, Clock
from emulator.core.errors import Refused
from emulator.core.request_match import Sent
from emulator.faults.delivery import Delivery
from emulator.faults.schedule import FaultDecision, RequestFacts
from emulator.http.response import JSON, TEXT, Response, phrase, with_given_headers
from emulator.http.routing import Api
from emulator.server.call import Call, CallHandler
from emulator.server.caller import client_of
from emulator.server.faulty_session import with_fault
from emulator.services.spacetimedb.model import LOCAL_ISSUER, identity_of


def with_faults(next_handler: CallHandler) -> CallHandler:
    """Apply the fault, if any, that the world's script has for a request with a route or a stub."""

    async def handle(call: Call) -> Response:
        world = call.world
        if call.api is None or not len(world.faults):
            return await next_handler(call)
        sent = await call.request.sent(LONGEST_BODY) if world.faults.look_inside else None
        decision = world.faults.decide(_request_facts(call, sent), world.entropy)
        if decision is None:
            return await next_handler(call)
        call.fault = str(decision.fault.step)
        world.change(decision.do, call.micros)
        if decision.delay and not await _delayed(call, decision):
            return _without(Delivery.CLOSE, "the client hung up while its request was delayed")
        world.settle()
        return await _ANSWERS[decision.do.answer](call, decision, next_handler)

    return handle


LONGEST_BODY = 2 * 1024 * 1024
"""Bytes of a body that a step's conditions look at, as many as Intuition takes."""


def _request_facts(call: Call, sent: Sent | None) -> RequestFacts:
    request, match = call.request, call.match
    paths = (request.path,) if match is None else match.aliases(request.path)
    return RequestFacts(request.method, paths, call.actor, client_of(request), call.micros, sent)


# --- delays -----------------------------------------------------------------------------------------------------------


async def _delayed(call: Call, decision: FaultDecision) -> bool:
    """Wait for the delay; false when the client hung up meanwhile."""
    if not decision.do.on_clock:
        await asyncio.wait([call.request.lost], timeout=decision.delay)
        return not call.request.lost.done()
    # Counted from the request's arrival: a test may move the clock as soon as it sees that the fault fired.
    return await _until(call.world.clock, call.micros + round(decision.delay * 1_000_000), call.request.lost)


async def _until(clock: Clock, micros: int, lost: "asyncio.Future[None]") -> bool:
    """Wait until the clock shows `micros` or its world was replaced; false when the connection is lost.

    A clock that stands at its end waits no longer.
    """
    micros = min(micros, LAST)
    loop, moved = asyncio.get_running_loop(), asyncio.Event()

    def wake(*_: object) -> None:
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(moved.set)

    lost.add_done_callback(wake)
    try:
        with clock.listening(wake):
            while (left := micros - clock.micros()) > 0 and not (lost.done() or clock.stopped):
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), None if clock.frozen else left / 1_000_000)
                moved.clear()
    finally:
        lost.remove_done_callback(wake)
    return not lost.done()


# --- answers ----------------------------------------------------------------------------------------------------------


async def _unchanged(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    return await next_handler(call)


async def _status(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    status = decision.do.status or 200
    response = _with_given_body(decision, status) if decision.do.body is not None else _in_api_format(call, status)
    return _api(call).with_cors(with_given_headers(response, decision.do.headers or {}))


def _with_given_body(decision: FaultDecision, status: int) -> Response:
    body = decision.do.body
    if isinstance(body, str):
        return Response(status, body.encode(), TEXT)
    return Response(status, msgspec.json.encode(body), JSON)


def _in_api_format(call: Call, status: int) -> Response:
    """The API's error format, plain text or `{code, error}`, with the reason phrase; below 400 an empty body."""
    if status < 400:
        return Response(status)
    return _api(call).describe(Refused(status, phrase(status) or f"Status {status}", ""))


async def _rate_limited(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    response = _in_api_format(call, 429)
    return _api(call).with_cors(with_given_headers(response, {"retry-after": str(decision.retry_after)}))


_NOT_SENT = {"drop": Delivery.CLOSE, "tcp_reset": Delivery.RESET, "hang": Delivery.HANG, "garbage": Delivery.GARBAGE}


async def _not_sent(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    delivery = _NOT_SENT[decision.do.answer]
    if decision.do.drop == "after":
        await next_handler(call)
        return _without(delivery, "the request took effect, its response was not sent")
    body = b"\x00" + call.world.entropy.draw("garbage") if delivery is Delivery.GARBAGE else b""
    return _without(delivery, "the request did not take effect", body)


def _without(delivery: Delivery, why: str, body: bytes = b"") -> Response:
    return Response(0, body, why=why, delivery=delivery)


async def _truncated(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    response = _with_a_body(await next_handler(call))
    cut = len(response.body) // 2 if decision.do.truncate is True else min(decision.do.truncate, len(response.body) - 1)
    return msgspec.structs.replace(response, delivery=Delivery.TRUNCATE, cut=cut)


async def _in_bad_chunks(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    return msgspec.structs.replace(_with_a_body(await next_handler(call)), delivery=Delivery.MALFORMED_CHUNK)


async def _half(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    response = _with_a_body(await next_handler(call))
    return msgspec.structs.replace(response, body=response.body[: -(-len(response.body) // 2)])


async def _on_the_websocket(call: Call, decision: FaultDecision, next_handler: CallHandler) -> Response:
    """A handshake that is refused is refused as usual."""
    response, fault = await next_handler(call), decision.do.websocket
    if response.upgrade is None or fault is None:
        return response
    identity = fault.identity if isinstance(fault.identity, str) else ""
    if fault.identity is True:
        identity = identity_of(LOCAL_ISSUER, call.world.entropy.uuid4("another identity"))
    return msgspec.structs.replace(response, upgrade=with_fault(response.upgrade, fault, identity))


def _with_a_body(response: Response) -> Response:
    """The response, with the body `{}` if it has none to break."""
    if response.body:
        return response
    status = 200 if response.status in {101, 204} else response.status
    return msgspec.structs.replace(response, status=status, body=b"{}", content_type=JSON, upgrade=None)


def _api(call: Call) -> Api[Any]:
    assert call.api is not None, "faults apply to requests with a route or a stub only"
    return call.api


_ANSWERS: Mapping[str, Callable[[Call, FaultDecision, CallHandler], Awaitable[Response]]] = {
    "": _unchanged,
    "status": _status,
    "rate_limit": _rate_limited,
    **dict.fromkeys(_NOT_SENT, _not_sent),
    "truncate": _truncated,
    "malformed_chunk": _in_bad_chunks,
    "invalid_json": _half,
    "websocket": _on_the_websocket,
}
