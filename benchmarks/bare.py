"""The ceiling: `python -m benchmarks.bare PORT ANSWERS`, a server as a user of aiohttp would write it.

`ANSWERS` is a JSON file of what the emulator answered: method, path, status, headers, body. The handlers do nothing but
send the same, and read the JSON body where `reads` says so.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

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


def application(answers: list[dict[str, Any]]) -> web.Application:
    app = web.Application()
    for each in answers:
        handler = answering(each["status"], each["headers"], each["body"].encode())
        app.router.add_route(each["method"], each["path"], reading(handler) if each["reads"] else handler)
    return app


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    web.run_app(application(found), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
