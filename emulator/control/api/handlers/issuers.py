"""Foreign issuers, and the documents that they publish."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.issuers import LocalIssuer, LocalIssuers, as_json, base_of, document_urls
from emulator.http.request import Request
from emulator.http.response import CORS, JSON, Response, json_response

if TYPE_CHECKING:
    from emulator.services.spacetimedb.issuers.providers import Provider


class IssuerHandlers(Handlers):
    async def issuers(self, request: Request) -> Response:
        """All foreign issuers, in the order of registration; their key sets are each one's own."""
        known = LocalIssuers(self._stage, _address(request))
        return json_response({"issuers": [as_json(each) for each in known.values()]})

    async def issuer(self, request: Request) -> Response:
        found = self._issuer(request)
        return json_response({**as_json(found), "jwks": self._provider(request).document_text})

    async def add_issuer(self, request: Request) -> Response:
        """Register a foreign issuer."""
        wanted = await bodies.read(request, bodies.IssuerWanted)
        given = {name: getattr(wanted, name) for name in ("jwks", "fetch", "algorithm", "accept_as_server")}
        try:
            added = LocalIssuers(self._stage, _address(request)).register(wanted.url, **given)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.IssuerWanted)}") from None
        return json_response(as_json(added))

    async def clear_issuers(self, request: Request) -> Response:
        """Remove all issuers, or with `{"n": 1}` one; the response has those that are left."""
        number = (await bodies.read(request, bodies.IssuerNumber)).n
        known = list(LocalIssuers(self._stage, _address(request)).values())
        chosen = [each for each in known if number in (None, each.number)]
        if number is not None and not chosen:
            raise _no_issuer(str(number))
        for each in chosen:
            each.remove()
        return await self.issuers(request)

    async def issuer_token(self, request: Request) -> Response:
        """A token of an issuer that the emulator plays."""
        wanted = await bodies.read(request, bodies.IssuerTokenWanted)
        issuer = self._issuer(request)
        given = {name: getattr(wanted, name) for name in wanted.__struct_fields__ if name != "claims"}
        try:
            return json_response({"token": issuer.issue_token(**given, **wanted.claims)})
        except (TypeError, ValueError, OverflowError) as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.IssuerTokenWanted)}") from None

    async def rotate_issuer_key(self, request: Request) -> Response:
        """New keys; the old ones are withdrawn, or kept beside them."""
        wanted = await bodies.read(request, bodies.IssuerRotation)
        try:
            self._issuer(request).rotate_key(keep=wanted.keep)
        except ValueError as error:
            raise ControlRefused(400, str(error), "see GET /_emulator/issuers") from None
        return await self.issuer(request)

    async def publish_keys(self, request: Request) -> Response:
        """Another key set, which counts from the server's next refresh on."""
        wanted = await bodies.read(request, bodies.KeysPublished)
        try:
            self._issuer(request).publish(wanted.jwks)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.KeysPublished)}") from None
        return await self.issuer(request)

    async def set_condition(self, request: Request) -> Response:
        """Whether an issuer answers, is out of reach, or never answers."""
        wanted = await bodies.read(request, bodies.ConditionSet)
        issuer = self._issuer(request)
        {"up": issuer.up, "down": issuer.down, "hanging": issuer.hang}[wanted.condition]()
        return await self.issuer(request)

    async def issuer_discovery(self, request: Request) -> Response:
        """The discovery document of an issuer, for everybody."""
        provider = self._provider(request)
        _, jwks_url = document_urls(base_of(_address(request), provider.number))
        return await self._served(request, lambda: msgspec.json.encode(provider.discovery(jwks_url)))

    async def issuer_jwks(self, request: Request) -> Response:
        """The key set of an issuer, for everybody."""
        provider = self._provider(request)
        return await self._served(request, lambda: provider.document)

    async def _served(self, request: Request, document: Callable[[], bytes]) -> Response:
        """A document as its issuer serves it; what is not there of one that is fetched or down is so here too."""
        provider = self._provider(request)
        if provider.kind == "fetched":
            raise ControlRefused(404, f"{provider.url} is fetched", "ask its own server", CORS)
        issuers = self._stage.settled_world().spacetime.issuers
        if provider.condition != "up" and not await issuers.answers(provider, request.lost):
            raise ControlRefused(503, f"{provider.url} is {provider.condition}", "a test has it so", CORS)
        return Response(200, document(), JSON, headers=CORS)

    def _issuer(self, request: Request) -> LocalIssuer:
        return LocalIssuer(self._stage, self._provider(request).url, _address(request))

    def _provider(self, request: Request) -> "Provider":
        """The issuer whose number is in the path. Raises ControlRefused."""
        store, number = self._stage.settled_world().spacetime, request.params[0]
        known = number.isdecimal() and number.isascii() and len(number) < 10 and store.has_issuers
        found = store.issuers.numbered(int(number)) if known else None
        if found is None:
            raise _no_issuer(number)
        return found


def _address(request: Request) -> str:
    """The address of this emulator, as the client has it. Raises ControlRefused."""
    host = (request.header("host") or "").lower()
    if not _HOST.fullmatch(host):
        raise ControlRefused(400, f"the host {host[:100]!r} is none", "send a `Host` such as 127.0.0.1:3000")
    return request.origin.lower()


_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")


def _no_issuer(number: str) -> ControlRefused:
    return ControlRefused(404, f"there is no issuer {number[:40]!r}", "see GET /_emulator/issuers", CORS)
