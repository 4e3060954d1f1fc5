"""The ceiling: `python -m benchmarks.bare PORT ANSWERS`, a server as a user of aiohttp would write it.

`ANSWERS` is a JSON file of what the emulator answered: method, path, status, headers, body. The handlers do nothing but
send the same, read the JSON body where `reads` says so, and sign or verify something where `raw` does.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from benchmarks import raw

Handler = Callable[[web.Request], Awaitable[web.Response]]


def answering(status: int, headers: dict[str, str], body: bytes) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, body=body)

    return handle


def reading(handle: Handler) -> Handler:
    async def read(request: web.Request) -> web.Response:
        await request.json()
        return await handle(request)

    return read


def computing(handle: Handler, operation: Callable[[], object]) -> Handler:
    async def compute(request: web.Request) -> web.Response:
        operation()
        return await handle(request)

    return compute


def application(answers: list[dict[str, Any]]) -> web.Application:
    app = web.Application()
    for each in answers:
        handler = answering(each["status"], each["headers"], each["body"].encode())
        handler = reading(handler) if each["reads"] else handler
        handler = computing(handler, raw.OPERATIONS[each["raw"]]()) if each["raw"] else handler
        app.router.add_route(each["method"], each["path"], handler)
    return app


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    web.run_app(application(found), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
