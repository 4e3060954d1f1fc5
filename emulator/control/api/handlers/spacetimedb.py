"""SpacetimeDB: its tokens, its databases and its key."""

from functools import partial

from emulator.control.actors import LocalActors
from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.api.listing import Window
from emulator.control.spacetimedb import LocalSpacetime
from emulator.core.clock import parse_rfc3339, to_micros
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.services.spacetimedb.auth import with_keys
from emulator.services.spacetimedb.model import LOCAL_ISSUER, Identity, parse_identity


class SpacetimeHandlers(Handlers):
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
        from emulator.control.inspected_token import inspected

        given = await bodies.read(request, bodies.TokenGiven)
        world = self._stage.settled_world()
        try:
            now = world.clock.micros() if given.at is None else to_micros(parse_rfc3339(given.at))
        except ValueError as error:
            raise ControlRefused(400, f"at: {error}", f"send {bodies.example(bodies.TokenGiven)}") from None
        judge = partial(inspected, given.token.strip(), world.spacetime, now)
        return json_response(await with_keys(judge, request, world.spacetime))

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

    async def databases(self, request: Request) -> Response:
        """All databases, by owner."""
        world = self._stage.settled_world()
        store, name_of = world.spacetime, world.actors.name_of
        found = (
            {"identity": each.identity, "name": each.name, "owner": owner, "actor": name_of(identity=owner)}
            for owner in store.databases.merged()
            for each in store.databases_of(owner)
        )
        return json_response(Window.of(request).page("databases", found))

    async def known_identities(self, request: Request) -> Response:
        """The identities of actors and owners, and those with an e-mail address; others are stored nowhere."""
        world = self._stage.settled_world()
        store, emails = world.spacetime, world.spacetime.emails
        owned = {owner: len(packed) for owner, packed in store.databases.merged().items()}
        named = (Identity(each.identity) for each in world.actors if each.identity)
        found = (
            {
                "identity": each,
                "actor": world.actors.name_of(identity=each),
                "email": emails.get(each),
                "databases": owned.get(each, 0),
            }
            for each in dict.fromkeys([*named, *emails.merged(), *owned])
        )
        return json_response(Window.of(request).page("identities", found))

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


_CLAIMS_EXAMPLE = '{"claims": {"sub": "alice", "iss": "localhost", "iat": 1}}'


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
