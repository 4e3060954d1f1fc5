"""Who is calling: `x-api-key`, or a refusal."""

from collections.abc import Awaitable, Callable
from functools import wraps

from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Handler
from emulator.services.intuition.api_keys import ApiKey, authenticate
from emulator.services.intuition.store import Store


def authenticated(handler: Callable[[Request, Store, ApiKey], Awaitable[Response]]) -> Handler[Store]:
    """Give the handler the key its caller came with. Headers are read before path parameters and body."""

    @wraps(handler)
    async def handle(request: Request, store: Store) -> Response:
        key = authenticate(request.header("x-api-key"), request.header("authorization"), store.api_key)
        return await handler(request, store, key)

    return handle
