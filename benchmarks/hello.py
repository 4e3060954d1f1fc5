"""The smallest aiohttp script, to compare the start with: `python benchmarks/hello.py PORT`."""

import sys

from aiohttp import web


async def hello(request: web.Request) -> web.Response:
    return web.json_response({"identity": "c200", "token": "a.b.c"})


app = web.Application()
app.router.add_post("/v1/identity", hello)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
