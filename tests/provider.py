"""An HTTP server that serves the documents of OpenID providers, any as they are, and keeps the requests it got."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

DISCOVERY = "/.well-known/openid-configuration"


class Page(NamedTuple):
    """What is served at a path."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}


class Got(NamedTuple):
    """A request: its headers with names in lower case, and the client's address and port."""

    method: str
    path: str
    headers: Mapping[str, str]
    client: tuple[str, int]


class Pages:
    """The pages of a running server, by path, and the requests for them. `held` paths are answered when it is set."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.by_path: dict[str, Page] = {}
        self.requests: list[Got] = []
        self.held: dict[str, threading.Event] = {}
        self.arrived = threading.Event()

    def provider(self, name: str, jwks: bytes) -> str:
        """The URL of a new provider with this key set."""
        base = f"{self.url}/{name}"
        self.by_path[f"/{name}{DISCOVERY}"] = Page(f'{{"jwks_uri":"{base}/keys"}}'.encode())
        self.by_path[f"/{name}/keys"] = Page(jwks)
        return base


@contextmanager
def serving_pages() -> Iterator[Pages]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            pages.requests.append(Got(self.command, self.path, headers, self.client_address))
            pages.arrived.set()
            if self.path in pages.held:
                pages.held[self.path].wait()
            page = pages.by_path.get(self.path, Page(b"no such page", 404))
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hung up is no error."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        pages = Pages(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield pages
        finally:
            for held in pages.held.values():
                held.set()
            server.shutdown()
            thread.join()
