"""An answer put on the wire, and the journal around it."""

import logging
from asyncio import CancelledError
from collections.abc import Callable

from emulator.core.clock import monotonic
from emulator.http.response import TEXT, Answer, head_lines
from emulator.journal.exchange import KEPT_OF_A_BODY, Exchange, Message
from emulator.journal.masking import mask
from emulator.server.call import Answering, Call
from emulator.world.world import World

logger = logging.getLogger("emulator")


def journaled(answering: Answering, is_shown: Callable[[World], bool]) -> Answering:
    """Write down every exchange before its answer is sent, so that whoever has the answer finds it in the journal.

    A bug in the emulator is a plain 500 with a traceback in the log, never a plausible answer.
    """

    async def handle(call: Call) -> Answer:
        world, request = call.world, call.request
        number, started = world.journal.number(), monotonic()
        try:
            answer = await answering(call)
        except (CancelledError, ConnectionError):
            raise
        except Exception as bug:
            logger.exception("a bug in identity-emulator, met by %s %s", request.method, mask(request.path[:200]))
            answer = Answer(500, b"a bug in identity-emulator; its log has the traceback", TEXT, why=f"a bug: {bug!r}")
        if not request.received_whole:
            await request.receive_unread(all_of_it=bool(call.fault))
        world.journal.record(
            Exchange(
                number=number,
                method=request.method,
                target=request.target,
                operation=call.operation,
                request=request.message(),
                status=answer.status,
                response=received(answer),
                why=_why(call, answer),
                micros=call.micros,
                duration=monotonic() - started,
                matched=call.api is not None,
                outlived=not is_shown(world),
                actor=call.actor,
                fault=call.fault,
            )
        )
        log(request.method, request.path, answer)
        return answer

    return handle


def _why(call: Call, answer: Answer) -> str:
    if not call.fault:
        return answer.why
    return f"a fault was ordered, {call.fault}" + (f"; {answer.why}" if answer.why else "")


def log(method: str, path: str, answer: Answer) -> None:
    """One line, without the query: it can hold a token."""
    level = logging.INFO if answer.why else logging.DEBUG
    if logger.isEnabledFor(level):
        logger.log(level, "%s %s %d %s", method, mask(path[:200]), answer.status, mask(answer.why))


def received(answer: Answer) -> Message:
    """An answer as the journal keeps it."""
    head = head_lines(answer.content_type, answer.headers)
    return Message(head, answer.body[:KEPT_OF_A_BODY], len(answer.body))
