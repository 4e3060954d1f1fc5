"""The page for people, and the events that keep it up to date; what they need is imported with the first of them."""

from typing import TYPE_CHECKING

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.api.routes import PAGE
from emulator.http.parameters import query_pairs
from emulator.http.request import Request
from emulator.http.response import Response
from emulator.world.stage import Stage

if TYPE_CHECKING:
    from emulator.control.api.events import Feed

EVENT_STREAM = "text/event-stream; charset=utf-8"
_NOT_STORED = b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n"


class PageHandlers(Handlers):
    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._feed: Feed | None = None

    async def page(self, request: Request) -> Response:
        return _file("index.html")

    async def page_style(self, request: Request) -> Response:
        return _file("page.css")

    async def page_script(self, request: Request) -> Response:
        return _file("page.js")

    async def to_page(self, request: Request) -> Response:
        """Its files are named relative to it, so its address ends with a slash."""
        return Response(308, headers=f"location: {PAGE}\r\n".encode())

    async def events(self, request: Request) -> Response:
        """What happens in this world, from the beginning of its journal, or after the event with an id.

        `Last-Event-ID` is newer than `?after=`: a browser that connects again sends it to the same URL.
        """
        from emulator.control.api.events import MOST_WATCHERS, Feed, Place

        query = dict(query_pairs(request.query))
        bodies.only(query, ("after",))
        text = request.header("last-event-id") or query.get("after") or ""
        from_now = text == "now"
        try:
            after = Place.parse(text) if text and not from_now else None
        except ValueError as error:
            raise ControlRefused(400, f"after: {error}", "send the `id` of an event, or ?after=now") from None
        self._feed = self._feed or Feed(self._stage)
        if self._feed.is_full:
            raise ControlRefused(503, f"{MOST_WATCHERS} watch this world already", "close a page that shows it")
        return Response(200, b"", EVENT_STREAM, _NOT_STORED, stream=self._feed.stream(after, from_now=from_now))


def _file(name: str) -> Response:
    from emulator.control.api.page_files import HEADERS, page_file

    content, content_type = page_file(name)
    return Response(200, content, content_type, HEADERS)
