"""The protocols v2.bsatn and v3.bsatn (message_handlers_v2.rs and _v3.rs of v2.8.3)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from emulator.http.upgrade import Message, Output, Send
from emulator.services.spacetimedb.websocket import bsatn, messages, queries, sats
from emulator.services.spacetimedb.websocket.bsatn import DecodeError
from emulator.services.spacetimedb.websocket.query_sets import Refused
from emulator.services.spacetimedb.websocket.sats import Fields, Variant
from emulator.services.spacetimedb.websocket.session import (
    NO_SUCH_REDUCER,
    NO_TABLES,
    Answers,
    Session,
    Undecodable,
    all_in,
)


class V2(Session):
    subprotocol = "v2.bsatn.spacetimedb"
    _server = messages.V2_SERVER

    @property
    def _of_client(self) -> sats.Sum:
        return messages.V2_CLIENT_WITH_BATCHES if self._release.sessions else messages.V2_CLIENT

    def _first(self, connection: Fields) -> Variant:
        return "InitialConnection", connection

    def _decoded(self, message: Message) -> list[Variant]:
        if isinstance(message, str):
            raise Undecodable(f"{self.subprotocol[:2]} websocket does not support text messages")
        try:
            return self._split(message)
        except DecodeError as error:
            raise Undecodable(str(error)) from None

    def _split(self, message: bytes) -> list[Variant]:
        return [bsatn.decode(self._of_client, bsatn.Reader(message))]  # what follows is ignored

    def _answer(self, name: str, asked: Fields) -> Variant | None:
        return self._table[name](self, asked)

    def _subscribe(self, asked: Fields) -> Variant:
        error = self._not_added(asked)
        if error is not None:
            return self._error(asked, error)
        return "SubscribeApplied", {**self._ids(asked), "rows": NO_TABLES}

    def _subscribe_batch(self, asked: Fields) -> Variant:
        results = [(wanted["query_set_id"], self._not_added(wanted)) for wanted in asked["query_sets"]]
        return "SubscribeBatchApplied", {
            "request_id": asked["request_id"],
            "query_sets": [
                {"query_set_id": number, "result": ("ok", NO_TABLES) if error is None else ("err", error)}
                for number, error in results
            ],
        }

    def _not_added(self, wanted: Fields) -> str | None:
        """Add a set; the error if that can't be."""
        for query in wanted["query_strings"]:
            if wrong := queries.wrong_with(query, subscription=True):
                return wrong.of_subscription(query)
        try:
            self._sets.add(wanted["query_set_id"]["id"], wanted["query_strings"])
        except Refused as refused:
            return str(refused)
        return None

    def _unsubscribe(self, asked: Fields) -> Variant:
        try:
            self._sets.remove(asked["query_set_id"]["id"])
        except Refused as refused:
            return self._error(asked, str(refused))
        rows = NO_TABLES if asked["flags"][0] == "SendDroppedRows" else None
        return "UnsubscribeApplied", {**self._ids(asked), "rows": rows}

    def _one_off_query(self, asked: Fields) -> Variant:
        wrong = queries.wrong_with(asked["query_string"], subscription=False)
        result = ("ok", NO_TABLES) if wrong is None else ("err", wrong.errors[0])
        return "OneOffQueryResult", {"request_id": asked["request_id"], "result": result}

    def _call_reducer(self, asked: Fields) -> Variant:
        result: Variant = ("InternalError", NO_SUCH_REDUCER)
        if self._world.is_stubbed(asked["reducer"]):
            result = ("Ok", {"ret_value": b"", "transaction_update": {"query_sets": ()}})
        return "ReducerResult", {"request_id": asked["request_id"], "timestamp": self._now(), "result": result}

    _table: ClassVar[Answers] = {
        "Subscribe": _subscribe,
        "Unsubscribe": _unsubscribe,
        "OneOffQuery": _one_off_query,
        "CallReducer": _call_reducer,
        "CallProcedure": Session._no_such_procedure,
        "SubscribeBatch": _subscribe_batch,
    }

    def _ids(self, asked: Fields) -> Mapping[str, Any]:
        return {"request_id": asked.get("request_id"), "query_set_id": asked.get("query_set_id", {"id": 0})}

    def _error(self, asked: Fields, text: str) -> Variant:
        return "SubscriptionError", {**self._ids(asked), "error": text}


class V3(V2):
    """v2's messages, any number of them in a frame."""

    subprotocol = "v3.bsatn.spacetimedb"

    def _split(self, message: bytes) -> list[Variant]:
        if not message:
            raise DecodeError("v3 websocket binary payload must contain at least one v2 client message")
        return all_in(self._of_client, message)

    def _sent(self, answers: list[Variant]) -> list[Output]:
        batch = b"".join(bsatn.encode(self._server, answer) for answer in answers)
        return [Send(self._packed(batch))] if batch else []
