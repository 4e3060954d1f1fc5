"""The protocols v1.bsatn and v1.json (message_handlers_v1.rs of v2.8.3, message_handlers.rs of v1.12.0)."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from emulator.http.upgrade import Message, Output, Send
from emulator.services.rust.serde import Shape
from emulator.services.rust.serde_json import JsonError
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.websocket import bsatn, messages, queries, sats, sats_json
from emulator.services.spacetimedb.websocket.bsatn import DecodeError
from emulator.services.spacetimedb.websocket.query_sets import Refused
from emulator.services.spacetimedb.websocket.sats import Fields, Variant
from emulator.services.spacetimedb.websocket.session import (
    AT_ONCE,
    NO_SUCH_REDUCER,
    NO_TABLES,
    Answers,
    Client,
    Session,
    Undecodable,
    World,
)

_UNKNOWN_REDUCER = 0xFFFF_FFFF
_FIRST_USER_TABLE = 4096


@cache
def _client_messages(id_name: str) -> tuple[sats.Sum, Shape]:
    """As BSATN and as JSON."""
    return messages.v1_client(sats.BYTES, id_name), sats_json.shape(messages.v1_client(sats.STRING, id_name))


class V1(Session):
    """v1.bsatn. Messages are decoded by the kind of their frame, and answered as the protocol says."""

    subprotocol = "v1.bsatn.spacetimedb"
    _server = messages.V1_SERVER_BSATN

    def __init__(self, client: Client, world: World, release: Release) -> None:
        super().__init__(client, world, release)
        self._bsatn, self._json = _client_messages(self._id_name)
        self._began = 0

    @property
    def _id_name(self) -> str:
        return self._release.query_id_name

    def _first(self, connection: Fields) -> Variant:
        return "IdentityToken", connection

    def _decoded(self, message: Message) -> list[Variant]:
        try:
            if isinstance(message, bytes):
                return [bsatn.decode(self._bsatn, bsatn.Reader(message))]  # what follows is ignored
            precise = self._release.numbers == "as text"
            return [sats_json.decode(self._json, message, arbitrary_precision=precise)]
        except (DecodeError, JsonError) as error:
            raise Undecodable(str(error)) from None

    def _answer(self, name: str, asked: Fields) -> Variant | None:
        self._began = self._world.micros()
        return self._table[name](self, asked)

    @property
    def _took(self) -> int:
        """Microseconds, by the world's clock."""
        return max(0, self._world.micros() - self._began)

    @property
    def _duration(self) -> Fields:
        return {"__time_duration_micros__": self._took}

    def _subscribe(self, asked: Fields) -> Variant:
        """The legacy message: it replaces what it subscribed to before, and has no number."""
        for query in asked["query_strings"]:
            if wrong := queries.wrong_with(query, subscription=True):
                return self._failed(asked, wrong.of_subscription(query), in_full=wrong.in_full(query))
        self._sets.know_client()
        return "InitialSubscription", {
            "database_update": NO_TABLES,
            "request_id": asked["request_id"],
            "total_host_execution_duration": self._duration,
        }

    def _subscribe_single(self, asked: Fields) -> Variant:
        query = asked["query"]
        applied = "SubscribeApplied", {**self._applied(asked), "rows": self._no_rows_of(queries.table_of(query))}
        return self._not_added(asked, [query]) or applied

    def _subscribe_multi(self, asked: Fields) -> Variant:
        applied = "SubscribeMultiApplied", {**self._applied(asked), "update": NO_TABLES}
        return self._not_added(asked, asked["query_strings"]) or applied

    def _not_added(self, asked: Fields, wanted: Iterable[str]) -> Variant | None:
        """Add a set; a message if that can't be."""
        for query in wanted:
            if wrong := queries.wrong_with(query, subscription=True):
                return self._error(asked, wrong.of_subscription(query))
        try:
            self._sets.add(asked["query_id"]["id"], wanted)
        except Refused as refused:
            return self._failed(asked, str(refused), in_full=str(refused))
        return None

    def _unsubscribe(self, asked: Fields) -> Variant:
        try:
            table = self._sets.remove(asked["query_id"]["id"])
        except Refused as refused:
            return self._error(asked, str(refused))
        if table is None:
            return self._error(asked, "Internal error")  # remove_single_subscription wants exactly one query
        return "UnsubscribeApplied", {**self._applied(asked), "rows": self._no_rows_of(table)}

    def _unsubscribe_multi(self, asked: Fields) -> Variant:
        try:
            self._sets.remove(asked["query_id"]["id"])
        except Refused as refused:
            return self._error(asked, str(refused))
        return "UnsubscribeMultiApplied", {**self._applied(asked), "update": NO_TABLES}

    def _one_off_query(self, asked: Fields) -> Variant:
        wrong = queries.wrong_with(asked["query_string"], subscription=False)
        return "OneOffQueryResponse", {
            "message_id": asked["message_id"],
            "error": wrong and wrong.errors[0],
            "tables": (),
            "total_host_execution_duration": self._duration,
        }

    def _call_reducer(self, asked: Fields) -> Variant | None:
        name = asked["reducer"]
        if not self._world.is_stubbed(name):
            return self._not_run(NO_SUCH_REDUCER, self._named(name))
        if asked["flags"] == messages.NO_SUCCESS_NOTIFY:
            return None
        call = {"reducer_name": name, "reducer_id": 0, "request_id": asked["request_id"]}
        return self._transaction(("Committed", NO_TABLES), call, asked["args"], self._duration)

    _table: ClassVar[Answers] = {
        "CallReducer": _call_reducer,
        "Subscribe": _subscribe,
        "OneOffQuery": _one_off_query,
        "SubscribeSingle": _subscribe_single,
        "SubscribeMulti": _subscribe_multi,
        "Unsubscribe": _unsubscribe,
        "UnsubscribeMulti": _unsubscribe_multi,
        "CallProcedure": Session._no_such_procedure,
    }

    def _named(self, reducer: str) -> str:
        """A reducer that does not exist, as the answer names it (`parse_reducer_name`)."""
        sent = self._release.unknown_reducer == "as sent" or reducer.isidentifier()
        return reducer if sent else ""

    def _applied(self, asked: Fields) -> Mapping[str, Any]:
        return {
            "request_id": asked["request_id"],
            "total_host_execution_duration_micros": self._took,
            "query_id": asked["query_id"],
        }

    def _no_rows_of(self, table: str) -> Fields:
        named = {"table_id": _FIRST_USER_TABLE, "table_name": table}
        update = {"deletes": self._no_list(), "inserts": self._no_list()}
        rows = {**named, "num_rows": 0, "updates": [self._query_update(update)]}
        return {**named, "table_rows": rows}

    def _failed(self, asked: Fields, text: str, *, in_full: str) -> Variant:
        """A subscription that failed where the server looks for no error."""
        if self._release.failures == "TransactionUpdate":
            return self._not_run(in_full, "<none>")
        return self._error(asked, text)

    def _error(self, asked: Fields, text: str) -> Variant:
        query_id = asked.get("query_id")
        return "SubscriptionError", {
            "total_host_execution_duration_micros": self._took,
            "request_id": asked.get("request_id"),
            "query_id": query_id and query_id["id"],
            "table_id": None,
            "error": text,
        }

    def _not_run(self, text: str, reducer: str) -> Variant:
        """MessageExecutionError: of a reducer without a number, and of no request."""
        call = {"reducer_name": reducer, "reducer_id": _UNKNOWN_REDUCER, "request_id": 0}
        return self._transaction(("Failed", text), call, None, AT_ONCE)

    def _transaction(self, status: Variant, call: Fields, args: str | bytes | None, duration: Fields) -> Variant:
        connection = self._connection(self.identity)
        return "TransactionUpdate", {
            "status": status,
            "timestamp": self._now(),
            "caller_identity": connection["identity"],
            "caller_connection_id": connection["connection_id"],
            "reducer_call": {**call, "args": self._arguments(args)},
            "energy_quanta_used": {"quanta": 0},
            "total_host_execution_duration": duration,
        }

    # What of a message is another value in JSON.

    def _arguments(self, args: str | bytes | None) -> str | bytes:
        return args if isinstance(args, bytes) else b""

    def _no_list(self) -> Any:
        return messages.NO_ROWS

    def _query_update(self, update: Fields) -> Any:
        return "Uncompressed", update


class V1Json(V1):
    subprotocol = "v1.json.spacetimedb"
    _server = messages.V1_SERVER_JSON

    def _sent(self, answers: list[Variant]) -> list[Output]:
        return [Send(sats_json.encode(self._server, answer)) for answer in answers]

    def _arguments(self, args: str | bytes | None) -> str | bytes:
        return args if isinstance(args, str) else "[]"

    def _no_list(self) -> Any:
        return ()

    def _query_update(self, update: Fields) -> Any:
        return update
