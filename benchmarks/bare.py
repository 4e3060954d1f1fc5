"""`python -m benchmarks.bare PORT ANSWER`, a server as a user of aiohttp would write it: the limit for the emulator.

`ANSWER` is a JSON object of what the emulator answered: method, path, status, headers, body. The handler does nothing
but send the same; it reads the JSON body first where `reads` says so, and signs or verifies something where `raw` does.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_MESSAGE = b"x" * 340  # as long as the signed part of a token


def operation(name: str) -> Callable[[], object] | None:
    """One ECDSA operation as the emulator does it: its signatures are deterministic."""
    key, scheme = ec.derive_private_key(7, ec.SECP256R1()), ec.ECDSA(SHA256(), deterministic_signing=True)
    signature, public, verifying = key.sign(_MESSAGE, scheme), key.public_key(), ec.ECDSA(SHA256())
    operations: dict[str, Callable[[], object]] = {
        "sign": lambda: key.sign(_MESSAGE, scheme),
        "verify": lambda: public.verify(signature, _MESSAGE, verifying),
    }
    return operations.get(name)


def application(answer: dict[str, Any]) -> web.Application:
    status, headers, body = answer["status"], answer["headers"], answer["body"].encode()
    reads, compute = answer["reads"], operation(answer["raw"])

    async def handle(request: web.Request) -> web.Response:
        if reads:
            await request.json()
        if compute:
            compute()
        return web.Response(status=status, headers=headers, body=body)

    app = web.Application()
    app.router.add_route(answer["method"], answer["path"], handle)
    return app


if __name__ == "__main__":
    found = application(json.loads(sys.argv[2]))
    web.run_app(found, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
