"""Who is calling: `x-api-key`, or a refusal."""

from collections.abc import Awaitable, Callable
from functools import wraps

from emulator.axum import Answer
from emulator.intuition.credentials import ApiKey, authenticate
from emulator.web import Call, Handler


def authenticated(handler: Callable[[Call, ApiKey], Awaitable[Answer]]) -> Handler:
    """Give the handler the key its caller came with. Headers are read before path parameters and body."""

    @wraps(handler)
    async def handle(call: Call) -> Answer:
        known = call.world.intuition.api_key
        return await handler(call, authenticate(call.header("x-api-key"), call.header("authorization"), known))

    return handle
