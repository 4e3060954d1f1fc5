"""Intuition: its API keys, and what becomes of its identities."""

import msgspec

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.api.listing import Window
from emulator.control.intuition import LocalIntuition
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.services.intuition.listing import DEFAULT_SORT, Filters, Paging, Sorting
from emulator.services.intuition.refusals import NotFound


class IntuitionHandlers(Handlers):
    async def rows(self, request: Request) -> Response:
        """The identities, oldest first; `text` is a part of the display name."""
        window, store = Window.of(request), self._stage.settled_world().intuition
        oldest_first = Sorting(DEFAULT_SORT, descending=False)
        found = store.page(
            Paging(limit=window.limit, offset=window.offset), oldest_first, Filters(display_name=window.text or None)
        )
        names = {number: name for name, number in store.names.merged().items()}
        shown = [{**msgspec.to_builtins(each), "name": names.get(store.number(each.id))} for each in found["data"]]
        return json_response({"identities": shown, "total": found["total"]})

    async def api_keys(self, request: Request) -> Response:
        """The valid keys, in the order in which they were issued."""
        world = self._stage.settled_world()
        keys = (
            {"key": each.key, "wallet": each.wallet, "actor": world.actors.name_of(api_key=each.key)}
            for each in world.intuition.api_keys
        )
        return json_response(Window.of(request).page("api_keys", keys))

    async def issue_api_key(self, request: Request) -> Response:
        wanted = await bodies.read(request, bodies.Wallet)
        issued = self._stage.settled_world().intuition.issue_api_key(wanted.wallet)
        return json_response({"key": issued.key, "wallet": issued.wallet})

    async def revoke_api_key(self, request: Request) -> Response:
        key = (await bodies.read(request, bodies.Key)).key
        try:
            self._stage.settled_world().intuition.revoke_api_key(key)
        except KeyError:
            raise ControlRefused(404, "there is no such API key", "POST the wallet here to issue one") from None
        valid = [issued.key for issued in self._stage.settled_world().intuition.api_keys]
        return json_response({"revoked": key, "valid": valid})

    async def move_identity(self, request: Request) -> Response:
        """Set the `status` of `identity`, a name in the scenario or any id; the response is the changed identity."""
        wanted = await bodies.read(request, bodies.StatusMove)
        intuition = LocalIntuition(self._stage)
        moves = {"complete": intuition.complete, "error": intuition.fail, "removed": intuition.remove}
        try:
            return json_response(moves[wanted.status](wanted.identity))
        except NotFound as refused:
            raise ControlRefused(404, refused.why, "see GET /identities") from None

    async def set_lifecycle(self, request: Request) -> Response:
        """Whether new identities are pending, and after how many seconds on the emulator's clock they are complete."""
        wanted = await bodies.read(request, bodies.NewLifecycle)
        try:
            LocalIntuition(self._stage).lifecycle(pending=wanted.pending, complete_after=wanted.complete_after)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.NewLifecycle)}") from None
        return json_response(self._stage.settled_world().intuition.lifecycle)
