"""Recording of exchanges in the journal and the log."""

import logging
import re
from asyncio import CancelledError
from collections.abc import Callable

from emulator.core.clock import monotonic
from emulator.http.response import TEXT, Response, head_lines
from emulator.journal.exchange import Exchange, Message
from emulator.journal.frames import Frames
from emulator.journal.limits import KEPT_OF_A_BODY
from emulator.journal.log import log_exchange
from emulator.journal.masking import printable, readable
from emulator.server.call import Call, CallHandler
from emulator.world.world import World

logger = logging.getLogger("emulator")

LONGEST_REASON = 2000
"""Characters; a reason can quote what was sent."""


def with_journal(next_handler: CallHandler, is_shown: Callable[[World], bool]) -> CallHandler:
    """Record every exchange before its response is sent, so that a client with the response finds it in the journal.

    A bug in the emulator is a plain 500 with a traceback in the log, never a plausible response.
    """

    async def handle(call: Call) -> Response:
        world, request = call.world, call.request
        call.number, started = world.journal.number(), monotonic()
        try:
            response = await next_handler(call)
        except (CancelledError, ConnectionError):
            raise
        except Exception as bug:  # noqa: BLE001 - logged there
            response = after_a_bug(request.method, request.path, bug)
        if request.has_body:
            call.hangs_up = await request.receive_unread(all_of_it=bool(call.fault))
        exchange = Exchange(
            call.number,  # three by place: with all 16 by name the call takes four times as long (CPython 3.11)
            request.method,
            request.target,
            operation=call.operation,
            request=request.message(),
            status=response.status,
            response=received(response),
            why=printable(_why(call, response)[:LONGEST_REASON]),
            micros=call.micros,
            duration=int((monotonic() - started) * 1_000_000) / 1_000_000,  # as JSON has it: both reports are one
            matched=_is_matched(call, response),
            outlived=not is_shown(world),
            actor=call.actor,
            fault=call.fault,
            after=started - world.journal.began,
            websocket=None if response.upgrade is None else Frames(),
        )
        call.frames = exchange.websocket
        world.journal.record(exchange)
        log_exchange(exchange)
        return response

    return handle


def _is_matched(call: Call, response: Response) -> bool:
    """Whether a stub answers, or an API has the path, and the method there.

    Where an API sends CORS headers, it has OPTIONS everywhere.
    """
    if call.stub is not None:
        return True
    if call.api is None or call.match is None or not response.emulated:
        return False
    return call.match.route is not None or (call.request.method == "OPTIONS" and call.api.cors)


def after_a_bug(method: str, path: str, bug: Exception) -> Response:
    """Logs the exception that is being handled."""
    logger.exception("a bug in identity-emulator at %s %s", method, readable(path, 200))
    return Response(500, b"a bug in identity-emulator; its log has the traceback", TEXT, why=f"a bug: {bug!r}")


def _why(call: Call, response: Response) -> str:
    why = _with_names(response.why, call.world) if response.why else ""
    if not call.fault:
        return why
    return f"fault: {call.fault}" + (f"; {why}" if why else "")


_IDENTITY = re.compile(r"\b[0-9a-f]{64}\b")


def _with_names(why: str, world: World) -> str:
    """A reason with the names of actors in the place of their identities."""
    return _IDENTITY.sub(lambda found: world.actors.name_of(identity=found[0]) or found[0], why[:LONGEST_REASON])


def received(response: Response) -> Message:
    """A response as the journal keeps it."""
    head = head_lines(response.content_type, response.headers)
    return Message(head, response.body[:KEPT_OF_A_BODY], len(response.body))
