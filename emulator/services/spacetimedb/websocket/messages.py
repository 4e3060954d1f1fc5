"""The messages of the WebSocket protocols, as types (crates/client-api-messages/src/websocket/{v1,v2,v3}.rs of v2.8.3).

v3 has the messages of v2. What v1 says in JSON differs from its BSATN in a few types only.
"""

from emulator.services.spacetimedb.websocket.sats import (
    BYTES,
    CONNECTION_ID,
    DURATION,
    IDENTITY,
    STRING,
    TIMESTAMP,
    U16,
    U32,
    U64,
    U128,
    UNIT,
    Array,
    Flag,
    Option,
    Product,
    Sum,
    Type,
)

QUERY_ID = "QueryId"
QUERY_SET_ID = "QuerySetId"
"""Names of the type of a query set's id: in releases 1.x, and since v2."""

FULL_UPDATE, NO_SUCCESS_NOTIFY = range(2)
"""Flags of v1's CallReducer."""

_NAMES = Array(STRING)
_ROWS = Product("BsatnRowList", {
    "size_hint": Sum("RowSizeHint", {"FixedSize": U16, "RowOffsets": Array(U64)}),
    "rows_data": BYTES,
})  # fmt: skip
NO_ROWS = {"size_hint": ("RowOffsets", ()), "rows_data": b""}
_PROCEDURE_FLAGS = Flag("call procedure", 1)


def _id(name: str) -> Type:
    return Product(name, {"id": U32})


# --- v1 ---------------------------------------------------------------------------------------------------------------


def v1_client(args: Type, id_name: str) -> Sum:
    """`ClientMessage` of v1; arguments of reducers are bytes in BSATN, and a text of JSON in JSON."""
    query_id = _id(id_name)
    return Sum("ClientMessage", {
        "CallReducer": Product("CallReducer", {
            "reducer": STRING, "args": args, "request_id": U32, "flags": Flag("call reducer", 2),
        }),
        "Subscribe": Product("Subscribe", {"query_strings": _NAMES, "request_id": U32}),
        "OneOffQuery": Product("OneOffQuery", {"message_id": BYTES, "query_string": STRING}),
        "SubscribeSingle": Product("SubscribeSingle", {"query": STRING, "request_id": U32, "query_id": query_id}),
        "SubscribeMulti": Product("SubscribeMulti", {
            "query_strings": _NAMES, "request_id": U32, "query_id": query_id,
        }),
        "Unsubscribe": Product("Unsubscribe", {"request_id": U32, "query_id": query_id}),
        "UnsubscribeMulti": Product("UnsubscribeMulti", {"request_id": U32, "query_id": query_id}),
        "CallProcedure": Product("CallProcedure", {
            "procedure": STRING, "args": args, "request_id": U32, "flags": _PROCEDURE_FLAGS,
        }),
    })  # fmt: skip


def _v1_server(single: Type, rows: Type, *, compressed: bool) -> Sum:
    query_id, micros = _id(QUERY_ID), U64
    query_update: Type = Product("QueryUpdate", {"deletes": rows, "inserts": rows})
    if compressed:
        query_update = Sum("CompressableQueryUpdate", {"Uncompressed": query_update, "Brotli": BYTES, "Gzip": BYTES})
    table = Product("TableUpdate", {
        "table_id": U32, "table_name": STRING, "num_rows": U64, "updates": Array(query_update),
    })  # fmt: skip
    update = Product("DatabaseUpdate", {"tables": Array(table)})
    one_table = Product("SubscribeRows", {"table_id": U32, "table_name": STRING, "table_rows": table})
    applied = {"request_id": U32, "total_host_execution_duration_micros": micros, "query_id": query_id}
    return Sum("ServerMessage", {
        "InitialSubscription": Product("InitialSubscription", {
            "database_update": update, "request_id": U32, "total_host_execution_duration": DURATION,
        }),
        "TransactionUpdate": Product("TransactionUpdate", {
            "status": Sum("UpdateStatus", {"Committed": update, "Failed": STRING, "OutOfEnergy": UNIT}),
            "timestamp": TIMESTAMP,
            "caller_identity": IDENTITY,
            "caller_connection_id": CONNECTION_ID,
            "reducer_call": Product("ReducerCallInfo", {
                "reducer_name": STRING, "reducer_id": U32, "args": single, "request_id": U32,
            }),
            "energy_quanta_used": Product("EnergyQuanta", {"quanta": U128}),
            "total_host_execution_duration": DURATION,
        }),
        "TransactionUpdateLight": Product("TransactionUpdateLight", {"request_id": U32, "update": update}),
        "IdentityToken": Product("IdentityToken", {
            "identity": IDENTITY, "token": STRING, "connection_id": CONNECTION_ID,
        }),
        "OneOffQueryResponse": Product("OneOffQueryResponse", {
            "message_id": BYTES,
            "error": Option(STRING),
            "tables": Array(Product("OneOffTable", {"table_name": STRING, "rows": rows})),
            "total_host_execution_duration": DURATION,
        }),
        "SubscribeApplied": Product("SubscribeApplied", {**applied, "rows": one_table}),
        "UnsubscribeApplied": Product("UnsubscribeApplied", {**applied, "rows": one_table}),
        "SubscriptionError": Product("SubscriptionError", {
            "total_host_execution_duration_micros": micros,
            "request_id": Option(U32),
            "query_id": Option(U32),
            "table_id": Option(U32),
            "error": STRING,
        }),
        "SubscribeMultiApplied": Product("SubscribeMultiApplied", {**applied, "update": update}),
        "UnsubscribeMultiApplied": Product("UnsubscribeMultiApplied", {**applied, "update": update}),
        "ProcedureResult": Product("ProcedureResult", {
            "status": Sum("ProcedureStatus", {"Returned": single, "OutOfEnergy": UNIT, "InternalError": STRING}),
            "timestamp": TIMESTAMP,
            "total_host_execution_duration": DURATION,
            "request_id": U32,
        }),
    })  # fmt: skip


V1_SERVER_BSATN = _v1_server(BYTES, _ROWS, compressed=True)
V1_SERVER_JSON = _v1_server(STRING, _NAMES, compressed=False)

# --- v2 and v3 --------------------------------------------------------------------------------------------------------

_SET = _id(QUERY_SET_ID)
_QUERY_ROWS = Product("QueryRows", {"tables": Array(Product("SingleTableRows", {"table": STRING, "rows": _ROWS}))})
_RESULT = Sum("Result", {"ok": _QUERY_ROWS, "err": STRING})
_TRANSACTION = Product("TransactionUpdate", {"query_sets": Array(Product("QuerySetUpdate", {
    "query_set_id": _SET,
    "tables": Array(Product("TableUpdate", {"table_name": STRING, "rows": Array(Sum("TableUpdateRows", {
        "PersistentTable": Product("PersistentTableRows", {"inserts": _ROWS, "deletes": _ROWS}),
        "EventTable": Product("EventTableRows", {"events": _ROWS}),
    }))})),
}))})  # fmt: skip

V2_CLIENT = Sum("ClientMessage", {
    "Subscribe": Product("Subscribe", {"request_id": U32, "query_set_id": _SET, "query_strings": _NAMES}),
    "Unsubscribe": Product("Unsubscribe", {
        "request_id": U32,
        "query_set_id": _SET,
        "flags": Sum("UnsubscribeFlags", {"Default": UNIT, "SendDroppedRows": UNIT}),
    }),
    "OneOffQuery": Product("OneOffQuery", {"request_id": U32, "query_string": STRING}),
    "CallReducer": Product("CallReducer", {
        "request_id": U32, "flags": Flag("call reducer", 1), "reducer": STRING, "args": BYTES,
    }),
    "CallProcedure": Product("CallProcedure", {
        "request_id": U32, "flags": _PROCEDURE_FLAGS, "procedure": STRING, "args": BYTES,
    }),
})  # fmt: skip

V2_CLIENT_WITH_BATCHES = Sum("ClientMessage", {
    **V2_CLIENT.variants,
    "SubscribeBatch": Product("SubscribeBatch", {
        "request_id": U32,
        "query_sets": Array(Product("QuerySet", {"query_set_id": _SET, "query_strings": _NAMES})),
    }),
})  # fmt: skip
"""With SubscribeBatch, of 2.10.2 and later."""

V2_SERVER = Sum("ServerMessage", {
    "InitialConnection": Product("InitialConnection", {
        "identity": IDENTITY, "connection_id": CONNECTION_ID, "token": STRING,
    }),
    "SubscribeApplied": Product("SubscribeApplied", {"request_id": U32, "query_set_id": _SET, "rows": _QUERY_ROWS}),
    "UnsubscribeApplied": Product("UnsubscribeApplied", {
        "request_id": U32, "query_set_id": _SET, "rows": Option(_QUERY_ROWS),
    }),
    "SubscriptionError": Product("SubscriptionError", {
        "request_id": Option(U32), "query_set_id": _SET, "error": STRING,
    }),
    "TransactionUpdate": _TRANSACTION,
    "OneOffQueryResult": Product("OneOffQueryResult", {"request_id": U32, "result": _RESULT}),
    "ReducerResult": Product("ReducerResult", {
        "request_id": U32,
        "timestamp": TIMESTAMP,
        "result": Sum("ReducerOutcome", {
            "Ok": Product("ReducerOk", {"ret_value": BYTES, "transaction_update": _TRANSACTION}),
            "OkEmpty": UNIT,
            "Err": BYTES,
            "InternalError": STRING,
        }),
    }),
    "ProcedureResult": Product("ProcedureResult", {
        "status": Sum("ProcedureStatus", {"Returned": BYTES, "InternalError": STRING}),
        "timestamp": TIMESTAMP,
        "total_host_execution_duration": DURATION,
        "request_id": U32,
    }),
    "SubscribeBatchApplied": Product("SubscribeBatchApplied", {
        "request_id": U32,
        "query_sets": Array(Product("QuerySetResult", {"query_set_id": _SET, "result": _RESULT})),
    }),
})  # fmt: skip
