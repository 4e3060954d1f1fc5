"""Authentication by `x-api-key`."""

from collections.abc import Awaitable, Callable
from functools import wraps

from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Handler
from emulator.services.intuition.api_keys import ApiKey, authenticate
from emulator.services.intuition.store import Store


def authenticated(handler: Callable[[Request, Store, ApiKey], Awaitable[Response]]) -> Handler[Store]:
    """Pass the caller's API key to the handler. It is checked before path parameters and body."""

    @wraps(handler)
    async def handle(request: Request, store: Store) -> Response:
        return await handler(request, store, key_of(request, store))

    return handle


def key_of(request: Request, store: Store) -> ApiKey:
    """The API key of a request. Raises Unauthorized."""
    headers = request.header("x-api-key"), request.header("authorization")
    return authenticate(*headers, store.api_key, store.is_of_an_earlier_world)
