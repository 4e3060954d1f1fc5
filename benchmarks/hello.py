"""The smallest aiohttp server, to compare with: `python benchmarks/hello.py PORT`, or in a thread."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from aiohttp import web


async def hello(request: web.Request) -> web.Response:
    return web.json_response({"identity": "c200", "token": "a.b.c"})


app = web.Application()
app.router.add_post("/v1/identity", hello)


async def _serve(listener: socket.socket) -> None:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listener).start()


@contextmanager
def running_in_thread() -> Iterator[SimpleNamespace]:
    """As `emulator.running_in_thread`; its thread ends with the process."""
    listener, loop = socket.create_server(("127.0.0.1", 0)), asyncio.new_event_loop()
    port = listener.getsockname()[1]
    loop.run_until_complete(_serve(listener))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    yield SimpleNamespace(port=port, url=f"http://127.0.0.1:{port}")


if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
