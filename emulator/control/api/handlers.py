"""Handlers of the control routes. Their requests are not journaled."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from emulator.control.actors import LocalActor, LocalActors
from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused, without_port
from emulator.control.api.journal_filters import FILTERS_EXAMPLE, filtered
from emulator.control.connections import as_json
from emulator.control.emulator import LocalEmulator
from emulator.control.faults import LocalFaults
from emulator.control.intuition import LocalIntuition
from emulator.control.issuers import Issuer, LocalIssuer, LocalIssuers, base_of, document_urls
from emulator.control.spacetimedb import LocalSpacetime
from emulator.control.stubs import LocalStubs
from emulator.control.worlds import OpenWorld, WorldServers
from emulator.core.clock import FIRST, LAST, Clock, parse_rfc3339, rfc3339
from emulator.core.errors import Misconfigured
from emulator.core.version import emulator_version
from emulator.faults.step import Step, WrongStep, made_step
from emulator.http.parameters import query_pairs
from emulator.http.request import Request
from emulator.http.response import CORS, JSON, TEXT, Response, json_response
from emulator.journal.exchange import Exchange
from emulator.journal.report import curl
from emulator.services.intuition.refusals import NotFound
from emulator.services.spacetimedb.auth import with_keys
from emulator.services.spacetimedb.model import LOCAL_ISSUER, parse_identity
from emulator.services.spacetimedb.token_chain import chain
from emulator.world import snapshot_document
from emulator.world.config import Config, Given, is_bundled_name
from emulator.world.connections import check_close
from emulator.world.stage import Stage
from emulator.world.stubs import StubSpec, made_stub

if TYPE_CHECKING:
    from emulator.services.spacetimedb.issuers.providers import Provider


class Control:
    """The handlers, on the stage that they read and change; `worlds` are those on other ports."""

    def __init__(self, stage: Stage, worlds: WorldServers, token: str | None) -> None:
        self._stage = stage
        self._worlds = worlds
        self._token = token

    async def health(self, request: Request) -> Response:
        self._stage.health_checks += 1
        return self._health()

    def _health(self) -> Response:
        world = self._stage.settled_world()
        return json_response(
            {"status": "ok", "version": emulator_version(), "seed": world.seed, "profiles": world.profiles}
        )

    async def state(self, request: Request) -> Response:
        world = self._stage.settled_world()
        spacetime, intuition = world.spacetime, world.intuition
        return json_response(
            {
                "seed": world.seed,
                "clock": {"now": rfc3339(world.clock.micros()), "frozen": world.clock.frozen},
                "spacetime": {
                    "profile": spacetime.profile.name,
                    "emails": len(spacetime.emails),
                    "stubbed_reducers": len(spacetime.stubbed_reducers),
                    "issuers": len(spacetime.issuers) if spacetime.has_issuers else 0,
                },
                "intuition": {
                    "profile": intuition.profile.name,
                    "api_keys": len(intuition.api_keys),
                    "identities": len(intuition),
                },
                "stubs": len(world.stubs),
                "journal": {"total": world.journal.total, "dropped": world.journal.dropped},
                "changes": self._stage.changes,
            }
        )

    async def reset(self, request: Request) -> Response:
        """A new world of the current config, or for this reset only of another `seed` or `scenario`.

        `"scenario": null` drops the loaded scenario and returns to the config of the server's start.
        """
        wanted = await bodies.read(request, bodies.Reset)
        other = Config(seed=wanted.seed, scenario=_bundled_or_document(wanted.scenario))
        if wanted.scenario is None:
            self._stage.restart(other)
        else:
            self._stage.reset(other.over(self._stage.config))
        return self._health()

    async def scenario(self, request: Request) -> Response:
        """The names of the world's scenarios, and the status of each step of their script."""
        world = self._stage.settled_world()
        return json_response({"scenario": world.scenario, "steps": [fault.to_json() for fault in world.faults]})

    async def load_scenario(self, request: Request) -> Response:
        """Load `scenario`, a bundled name, a document or a list of both; or the body, when it is a document itself."""
        found = await bodies.json_body(request, bodies.ScenarioWanted)
        scenario = _bundled_or_document(
            found if "version" in found else bodies.decoded(found, bodies.ScenarioWanted).scenario
        )
        if not scenario:
            raise ControlRefused(400, "no scenario", f"send {bodies.example(bodies.ScenarioWanted)} or a document")
        self._stage.load(scenario)
        return await self.scenario(request)

    async def journal(self, request: Request) -> Response:
        return self._journal_page(self._filtered(request))

    def _filtered(self, request: Request) -> list[Exchange]:
        """Raises ControlRefused."""
        try:
            return filtered(self._stage.settled_world().journal, request.query)
        except ValueError as error:
            raise ControlRefused(400, f"invalid filter: {error}", FILTERS_EXAMPLE) from None

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

    async def clock(self, request: Request) -> Response:
        clock = self._stage.settled_world().clock
        return json_response({"now": rfc3339(clock.micros()), "frozen": clock.frozen})

    async def move_clock(self, request: Request) -> Response:
        """One of `advance` and `skew` (seconds), `freeze` (a time, or true for now) and `resume`."""
        wanted = await bodies.read(request, bodies.ClockMove)
        given = {name: value for name in _MOVES if (value := getattr(wanted, name)) is not None}
        if len(given) != 1:
            raise ControlRefused(400, f"{len(given)} changes of the clock", f"send one of {', '.join(_MOVES)}")
        try:
            for name, value in given.items():
                _MOVES[name](self._stage.settled_world().clock, value)
        except (ValueError, OverflowError) as error:
            raise ControlRefused(400, str(error), f"send {_CLOCK_EXAMPLES}") from None
        return await self.clock(request)

    async def actors(self, request: Request) -> Response:
        """Actors with their tokens and keys; `name` selects one. Members of crowds are found only by `name`."""
        query = query_pairs(request.query)
        bodies.only(dict(query), ("name",))
        actors = self._stage.settled_world().actors
        asked = [actors.get(name) for _, name in query] if query else [each for each in actors if not each.crowd]
        handles = [LocalActor(self._stage, each.name) for each in asked if each is not None]
        env = {name: value for handle in handles for name, value in handle.env().items()}
        if key := self._stage.settled_world().api_key:
            env["INTUITION_API_KEY"] = key
        return json_response({"actors": {each.name: each.to_json() for each in handles}, "env": env})

    async def faults(self, request: Request) -> Response:
        return json_response({"faults": [fault.to_json() for fault in self._stage.settled_world().faults]})

    async def add_fault(self, request: Request) -> Response:
        """The body is a step as in scenarios: `request`, other conditions, and `do`."""
        try:
            fault = self._stage.settled_world().add_step(made_step(await bodies.json_body(request, Step)))
        except WrongStep as error:
            raise ControlRefused(400, str(error), f"send {bodies.step_example(error)}") from None
        return json_response(fault.to_json())

    async def clear_faults(self, request: Request) -> Response:
        """Remove all faults, or with `{"n": 2}` one."""
        number = (await bodies.read(request, bodies.FaultNumber)).n
        faults = LocalFaults(self._stage)
        if number is None:
            faults.clear()
            return await self.faults(request)
        fault = next((each for each in faults if each.number == number), None)
        if fault is None:
            raise ControlRefused(404, f"there is no fault {number}", "see GET /_emulator/faults")
        fault.remove()
        return await self.faults(request)

    async def stubs(self, request: Request) -> Response:
        return json_response({"stubs": [stub.to_json() for stub in self._stage.settled_world().stubs]})

    async def add_stub(self, request: Request) -> Response:
        """The body is a stub as in scenarios."""
        try:
            stub = self._stage.settled_world().add_stub(made_stub(await bodies.json_body(request, StubSpec)))
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(StubSpec)}") from None
        return json_response(stub.to_json())

    async def clear_stubs(self, request: Request) -> Response:
        """Remove all stubs, or with `{"n": 2}` one."""
        number = (await bodies.read(request, bodies.StubNumber)).n
        stubs = LocalStubs(self._stage)
        if number is None:
            stubs.clear()
            return await self.stubs(request)
        stub = next((each for each in stubs if each.number == number), None)
        if stub is None:
            raise ControlRefused(404, f"there is no stub {number}", "see GET /_emulator/stubs")
        stub.remove()
        return await self.stubs(request)

    async def snapshot(self, request: Request) -> Response:
        """The world as a document, to compare or to restore with PUT; secrets included."""
        try:
            return Response(200, snapshot_document.written(self._stage.settled_world()), JSON)
        except Misconfigured as error:
            raise ControlRefused(409, str(error), "remove the stub, or give it `json`, `text` or `body`") from None

    async def restore(self, request: Request) -> Response:
        """Replace the world by that of a document from GET. An invalid document changes nothing."""
        document = await bodies.raw_body(request, snapshot_document.Document)
        self._stage.show(snapshot_document.read(document, self._stage.settled_world()))
        return await self.state(request)

    async def connections(self, request: Request) -> Response:
        """The open WebSockets, oldest first."""
        return json_response({"connections": [as_json(each) for each in self._stage.settled_world().connections]})

    async def close_connections(self, request: Request) -> Response:
        """Close all open WebSockets, or with `id` those that have it."""
        wanted = await bodies.read(request, bodies.ConnectionsClosed)
        try:
            check_close(wanted.code, wanted.reason)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.ConnectionsClosed)}") from None
        connections = self._stage.settled_world().connections
        found = [each for each in connections if wanted.id in {None, each.id}]
        if wanted.id is not None and not found:
            raise ControlRefused(
                404, f"there is no open connection {wanted.id[:40]!r}", "see GET /_emulator/connections"
            )
        for each in found:
            connections.close(each, wanted.code, wanted.reason)
        return await self.connections(request)

    async def issuers(self, request: Request) -> Response:
        """All foreign issuers, in the order of registration; their key sets are each one's own."""
        known = LocalIssuers(self._stage, _address(request))
        return json_response({"issuers": [_issuer_state(each) for each in known.values()]})

    async def issuer(self, request: Request) -> Response:
        found = self._issuer(request)
        return json_response({**_issuer_state(found), "jwks": self._provider(request).document_text})

    async def add_issuer(self, request: Request) -> Response:
        """Register a foreign issuer."""
        wanted = await bodies.read(request, bodies.IssuerWanted)
        given = {name: getattr(wanted, name) for name in ("jwks", "fetch", "algorithm", "accept_as_server")}
        try:
            added = LocalIssuers(self._stage, _address(request)).register(wanted.url, **given)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.IssuerWanted)}") from None
        return json_response(_issuer_state(added))

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

    async def worlds(self, request: Request) -> Response:
        """The worlds on ports of their own, oldest first: the same list on each of their ports."""
        return json_response({"worlds": [self._world(each, request) for each in self._worlds]})

    async def open_world(self, request: Request) -> Response:
        """Another world; what the body leaves out is as at the server's start."""
        wanted = await bodies.read(request, bodies.WorldWanted)
        try:
            frozen = None if wanted.freeze_at is None else parse_rfc3339(wanted.freeze_at)
        except ValueError as error:
            raise ControlRefused(400, f"freeze_at: {error}", f"send {bodies.example(bodies.WorldWanted)}") from None
        config = Config(
            seed=wanted.seed,
            scenario=_bundled_or_document(wanted.scenario),
            spacetime_profile=wanted.spacetime_profile,
            intuition_profile=wanted.intuition_profile,
            freeze_at=frozen,
        )
        return json_response(self._world(self._worlds.open(config, wanted.idle_exit), request))

    async def close_world(self, request: Request) -> Response:
        """Close a world, also that of the port which was asked; the response are those that are left."""
        closing = self._worlds.close(request.params[0])
        if closing is None:
            raise ControlRefused(
                404, f"there is no world {request.params[0][:40]!r}", "see GET /_emulator/worlds; the first has no id"
            )
        await asyncio.shield(asyncio.wrap_future(closing))
        return await self.worlds(request)

    def _world(self, world: OpenWorld, request: Request) -> Mapping[str, Any]:
        """At the host as the client wrote it: from another machine, or a container, ours has another name."""
        port = world.url.rpartition(":")[2]
        url = f"http://{without_port(request.header('host') or '')}:{port}"
        handle = LocalEmulator(url, world.stage, world.abort, self._token)
        env = {**handle.env(), **handle.actors_env()}
        return {"id": world.id, "url": url, "env": env, "idle_exit": world.idle_exit}

    async def sign_token(self, request: Request) -> Response:
        """A token with `claims` and `headers` as they are; or with `subject` a complete one, as by `issue_token`."""
        found = await bodies.json_body(request, bodies.TokenWanted)
        whole = found.get("subject") is not None or found.get("actor") is not None
        advice = bodies.example(bodies.TokenWanted) if whole else _CLAIMS_EXAMPLE
        wanted = bodies.decoded(found, bodies.TokenWanted, advice)
        spacetime = LocalSpacetime(self._stage)
        if wanted.actor is not None:
            return json_response({"token": self._issue_of_actor(wanted.actor, wanted)})
        if wanted.subject is not None:
            return json_response({"token": _issue(spacetime, wanted.subject, wanted)})
        if wanted.claims is None:
            hint = f"send {bodies.example(bodies.TokenWanted)} or {_CLAIMS_EXAMPLE}"
            raise ControlRefused(400, "no `subject`, `actor` or `claims`", hint)
        return json_response({"token": spacetime.sign(wanted.claims, wanted.headers)})

    async def inspect_token(self, request: Request) -> Response:
        """What this world would say to a token, check by check. Nothing changes, and the journal does not have it."""
        given = await bodies.read(request, bodies.TokenGiven)
        world = self._stage.settled_world()
        spacetime = world.spacetime
        judged = partial(chain, given.token.strip(), spacetime.keyring, world.clock.micros(), spacetime.profile)
        found = await with_keys(judged, request, spacetime)
        times = {"now": rfc3339(found.now), "refused_from": _moment(found.refused_from)}
        return json_response({"profile": spacetime.profile.name, **msgspec.to_builtins(found), **times})

    def _issue_of_actor(self, name: str, wanted: bodies.TokenWanted) -> str:
        if wanted.subject is not None or wanted.issuer is not None:
            raise ControlRefused(
                400, "`actor` has a subject and an issuer", 'send {"actor": "alice", "expires_in": -100}'
            )
        try:
            actor = LocalActors(self._stage)[name]
            return actor.issue_token(expires_in=wanted.expires_in, null_exp=wanted.null_exp, **wanted.claims or {})
        except KeyError as error:
            raise ControlRefused(404, str(error.args[0]), "see GET /_emulator/actors") from None
        except (AttributeError, ValueError) as error:
            raise ControlRefused(400, str(error), 'send {"actor": "alice", "expires_in": -100}') from None

    async def add_database(self, request: Request) -> Response:
        """A new database of `owner`, with a `name` or none."""
        wanted = await bodies.read(request, bodies.DatabaseWanted)
        store = self._stage.settled_world().spacetime
        try:
            identity = None if wanted.identity is None else parse_identity(wanted.identity)
            added = store.add_database(parse_identity(wanted.owner), wanted.name, identity)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.DatabaseWanted)}") from None
        return json_response(added)

    async def stub_reducer(self, request: Request) -> Response:
        """Have calls of a reducer over a WebSocket succeed."""
        wanted = await bodies.read(request, bodies.ReducerWanted)
        spacetime = self._stage.settled_world().spacetime
        try:
            stubbed = spacetime.stub_reducer(wanted.database, wanted.reducer)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.ReducerWanted)}") from None
        return json_response({"database": stubbed, "reducers": spacetime.stubbed_reducers_of(stubbed)})

    async def rotate_key(self, request: Request) -> Response:
        spacetime = self._stage.settled_world().spacetime
        spacetime.rotate_key()
        return json_response({"public_key": spacetime.keyring.key.public_pem.decode()})

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

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document of both APIs in their current profiles, and of the control routes."""
        from emulator.control.api.openapi_document import document

        world = self._stage.settled_world()
        return json_response(document(world.spacetime.profile, world.intuition.profile))


def _address(request: Request) -> str:
    """The address of this emulator, as the client has it. Raises ControlRefused."""
    host = (request.header("host") or "").lower()
    if not _HOST.fullmatch(host):
        raise ControlRefused(400, f"the host {host[:100]!r} is none", "send a `Host` such as 127.0.0.1:3000")
    return request.origin.lower()


_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")


def _no_issuer(number: str) -> ControlRefused:
    return ControlRefused(404, f"there is no issuer {number[:40]!r}", "see GET /_emulator/issuers", CORS)


def _issuer_state(issuer: Issuer) -> dict[str, Any]:
    return {
        "n": issuer.number,
        "url": issuer.url,
        "kind": issuer.kind,
        "condition": issuer.condition,
        "discovery_url": issuer.discovery_url,
        "jwks_url": issuer.jwks_url,
    }


def _moment(micros: int | None) -> str | None:
    """None is never, as is what comes after the year 9999."""
    return None if micros is None or micros > LAST else rfc3339(max(FIRST, micros))


def _text(text: str) -> Response:
    return Response(200, text.encode("utf-8", "backslashreplace"), TEXT)


def _bundled_or_document(given: Any) -> Given | None:
    """The scenario of a request: bundled names and documents, never files or functions."""
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, str) and not is_bundled_name(each):
            shown = msgspec.json.encode(each).decode()[:80]
            raise ControlRefused(
                400,
                f"`scenario` is {shown}, a path: a running emulator reads no files",
                f"send {bodies.example(bodies.ScenarioWanted)}, or the content of the file as JSON",
            )
    return None if given is msgspec.UNSET else given


_CLAIMS_EXAMPLE = '{"claims": {"sub": "alice", "iss": "localhost", "iat": 1}}'
_CLOCK_EXAMPLES = '{"advance": 61}, {"freeze": "2024-02-15T05:47:17Z"}, {"skew": 5} or {"resume": true}'


def _resume(clock: Clock, wanted: object) -> None:
    if wanted is not True:
        raise ValueError("`resume` must be true")
    clock.resume()


def _freeze(clock: Clock, at: object) -> None:
    if at is False:
        raise ValueError("`freeze` must be true or a time")
    clock.freeze(None if at is True else str(at))


_MOVES: Mapping[str, Callable[[Clock, Any], None]] = {
    "advance": Clock.advance,
    "freeze": _freeze,
    "skew": Clock.skew,
    "resume": _resume,
}


def _issue(spacetime: LocalSpacetime, subject: str, wanted: bodies.TokenWanted) -> str:
    try:
        return spacetime.issue_token(
            subject=subject,
            issuer=wanted.issuer or LOCAL_ISSUER,
            audience=wanted.audience if isinstance(wanted.audience, str) else tuple(wanted.audience),
            expires_in=wanted.expires_in,
            null_exp=wanted.null_exp,
            **wanted.claims or {},
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise ControlRefused(400, str(error), f"send {bodies.example(bodies.TokenWanted)}") from None
