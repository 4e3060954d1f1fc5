"""`python -m benchmarks.bare_websocket PORT MESSAGE`: aiohttp's own WebSocket, which signs once and sends a message."""

import sys

from aiohttp import web

from benchmarks.bare import operation


def application(message: str) -> web.Application:
    sign = operation("sign")
    assert sign is not None

    async def subscribe(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["v1.json.spacetimedb"])
        await socket.prepare(request)
        sign()
        await socket.send_str(message)
        await socket.ping()
        async for _ in socket:
            pass
        return socket

    async def ready(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/v1/database/{name}/subscribe", subscribe)
    app.router.add_get("/v1/ping", ready)
    return app


if __name__ == "__main__":
    web.run_app(application(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
