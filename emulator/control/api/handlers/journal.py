"""The journal, its exchanges one by one, and the report of a failed test."""

from collections.abc import Sequence

from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.api.journal_filters import FILTERS_EXAMPLE, filtered
from emulator.control.emulator import LocalEmulator
from emulator.core.errors import in_any_language
from emulator.http.request import Request
from emulator.http.response import TEXT, Response, json_response
from emulator.journal.exchange import Exchange
from emulator.journal.report import curl


class JournalHandlers(Handlers):
    async def journal(self, request: Request) -> Response:
        return self._journal_page(self._filtered(request))

    def _filtered(self, request: Request) -> list[Exchange]:
        """Raises ControlRefused."""
        try:
            return filtered(self._stage.settled_world().journal, request.query)
        except ValueError as error:
            raise ControlRefused(400, f"invalid filter: {in_any_language(error)}", FILTERS_EXAMPLE) from None

    def _journal_page(self, found: Sequence[Exchange]) -> Response:
        world = self._stage.settled_world()
        journal = world.journal
        counts = {
            "total": journal.total,
            "dropped": journal.dropped,
            "lost": journal.lost,
            "lost_for": journal.lost_for,
            "profiles": world.profiles,
        }
        return json_response({"exchanges": [exchange.to_json() for exchange in found], **counts})

    async def clear_journal(self, request: Request) -> Response:
        self._stage.settled_world().journal.clear()
        return self._journal_page([])

    async def journal_exchange(self, request: Request) -> Response:
        return json_response(self._exchange(request).to_json())

    async def journal_curl(self, request: Request) -> Response:
        """A shell command that sends the request of exchange n again, secrets included."""
        command = curl(self._exchange(request), request.origin, secrets=True)
        return _text(f"{command}\n")

    def _exchange(self, request: Request) -> Exchange:
        """The exchange of the number in the path. Raises ControlRefused."""
        exchanges = self._stage.settled_world().journal.exchanges
        found = next((each for each in exchanges if str(each.number) == request.params[0]), None)
        if found is None:
            kept = f"{exchanges[0].number} to {exchanges[-1].number} are kept" if exchanges else "the journal is empty"
            raise ControlRefused(
                404, f"there is no exchange {request.params[0][:40]!r}; {kept}", "see GET /_emulator/journal"
            )
        return found

    async def report(self, request: Request) -> Response:
        """What a failed test shows, as text; of all exchanges, or of those that meet the journal's filters."""
        handle = LocalEmulator(request.origin, self._stage, lambda: None)
        return _text(f"{handle.report(self._filtered(request))}\n")


def _text(text: str) -> Response:
    return Response(200, text.encode("utf-8", "backslashreplace"), TEXT)
