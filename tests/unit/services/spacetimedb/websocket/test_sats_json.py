"""SpacetimeDB's JSON. Texts as recorded from 1.12.0 and 2.8.3, the others as crates/sats/src/de/serde.rs has them."""

import json
from typing import Any

import pytest

from emulator.services.rust.serde_json import JsonError
from emulator.services.spacetimedb.websocket import sats, sats_json
from emulator.services.spacetimedb.websocket.messages import v1_client
from emulator.services.spacetimedb.websocket.sats import MOST_ITEMS, TooMany

CLIENT = sats_json.shape(v1_client(sats.STRING, "QuerySetId"))

VARIANTS = (
    ", `CallReducer`one of `Subscribe`, `OneOffQuery`, `SubscribeSingle`, `SubscribeMulti`, `Unsubscribe`, "
    "`UnsubscribeMulti`, `CallProcedure`"
)


def wrong(text: str, *, arbitrary_precision: bool = False) -> str:
    with pytest.raises(JsonError) as caught:
        sats_json.decode(CLIENT, text, arbitrary_precision=arbitrary_precision)
    return str(caught.value)


def read(text: str) -> Any:
    return sats_json.decode(CLIENT, text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("junk", "expected value at line 1 column 1"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "expected map representing sum type to have exactly one field at line 1 column 2"),
        ("[]", "expected seq representing sum type to have exactly two fields at line 1 column 2"),
        ('["Subscribe"]', "expected seq representing sum type to have exactly two fields at line 1 column 13"),
        ("null", "invalid type: null, expected sum type ClientMessage at line 1 column 4"),
        ("true", "invalid type: boolean `true`, expected sum type ClientMessage at line 1 column 4"),
        ("7", "invalid type: integer `7`, expected sum type ClientMessage at line 1 column 1"),
        ('"Subscribe"', 'invalid type: string "Subscribe", expected sum type ClientMessage at line 1 column 11'),
        ('{"Foo":{}}', f"unknown variant `Foo`, expected {VARIANTS} at line 1 column 6"),
        ('{"8":{}}', "unknown tag 0x8 for sum type ClientMessage at line 1 column 4"),
        ('{"256":{}}', f"unknown variant `256`, expected {VARIANTS} at line 1 column 6"),
        ("[9,{}]", "unknown tag 0x9 for sum type ClientMessage at line 1 column 2"),
        ("[300,{}]", "invalid value: integer `300`, expected a u8 tag at line 1 column 4"),
        ("[-1,{}]", "invalid type: integer `-1`, expected variant identifier (string or int) at line 1 column 3"),
        ("[null,{}]", "invalid type: null, expected variant identifier (string or int) at line 1 column 5"),
        ("[[],{}]", "invalid type: sequence, expected variant identifier (string or int) at line 1 column 3"),
        ('{"Subscribe":[]}', "invalid length 0, expected product type Subscribe with 2 elements at line 1 column 15"),
        ('{"Subscribe":[[]]}', "invalid length 1, expected product type Subscribe with 2 elements at line 1 column 17"),
        ('{"Subscribe":1}', "invalid type: integer `1`, expected a Subscribe tuple at line 1 column 14"),
        ('{"Subscribe":{"query_strings":[]}}', "missing field `request_id` at line 1 column 33"),
        ('{"Subscribe":{}}', "missing field `query_strings` at line 1 column 15"),
        (
            '{"Subscribe":{"request_id":1,"request_id":1}}',
            "duplicate field `request_id` at line 1 column 41",
        ),
        (
            '{"Subscribe":{"query_strings":[],"request_id":1,"x":1}}',
            "unknown field `x`, expected , `query_strings``request_id` at line 1 column 51",
        ),
        (
            '{"Unsubscribe":{"request_id":1,"query_id":{"x":1}}}',
            "unknown field `x`, expected `id` at line 1 column 46",
        ),
        (
            '{"Unsubscribe":{"request_id":1,"query_id":1}}',
            "invalid type: integer `1`, expected a QuerySetId tuple at line 1 column 43",
        ),
        (
            '{"CallReducer":{"x":1}}',
            "unknown field `x`, expected , `reducer`one of `args`, `request_id`, `flags` at line 1 column 19",
        ),
        ('{"Subscribe":{"query_strings":"x"}}', 'invalid type: string "x", expected a vec at line 1 column 33'),
        ('{"Subscribe":{"query_strings":{}}}', "invalid type: map, expected a vec at line 1 column 30"),
        ('{"Subscribe":{"query_strings":[1]}}', "invalid type: integer `1`, expected a string at line 1 column 32"),
        ('{"Subscribe":{"request_id":"1"}}', 'invalid type: string "1", expected u32 at line 1 column 30'),
        ('{"Subscribe":{"request_id":-1}}', "invalid value: integer `-1`, expected u32 at line 1 column 29"),
        (
            '{"Subscribe":{"request_id":4294967296}}',
            "invalid value: integer `4294967296`, expected u32 at line 1 column 37",
        ),
        ('{"Subscribe":{"request_id":1.5}}', "invalid type: floating point `1.5`, expected u32 at line 1 column 30"),
        ('{"CallReducer":{"flags":2}}', "invalid call reducer flag 2 at line 1 column 26"),
        ('{"CallProcedure":{"flags":1}}', "invalid call procedure flag 1 at line 1 column 28"),
        (
            '{"OneOffQuery":{"message_id":"aWQ="}}',
            'invalid value: string "aWQ=", expected a byte array or hex string at line 1 column 35',
        ),
        ('{"OneOffQuery":{"message_id":[256]}}', "invalid value: integer `256`, expected u8 at line 1 column 33"),
        (
            '{"OneOffQuery":{"message_id":{}}}',
            "invalid type: map, expected a byte array or hex string at line 1 column 31",
        ),
        ('{"Subscribe":{"query_strings":[],"request_id":1},"Foo":1}', "trailing comma at line 1 column 49"),
        ('{"Subscribe":{"query_strings":[],"request_id":1}} x', "trailing characters at line 1 column 51"),
        ('["Subscribe",[[],1],1]', "trailing characters at line 1 column 21"),
        ("\ud800", "expected value at line 1 column 1"),
    ],
)  # fmt: skip
def test_an_error_is_in_the_words_of_the_server(text: str, error: str) -> None:
    assert wrong(text) == error


def test_a_number_that_keeps_its_text_is_an_object_where_any_type_is_due() -> None:
    """`arbitrary_precision`, which releases 1.x have on."""
    key = "$serde_json::private::Number"

    assert wrong("1.5", arbitrary_precision=True) == f"unknown variant `{key}`, expected {VARIANTS} at line 1 column 3"
    assert wrong('{"Unsubscribe":1e2}', arbitrary_precision=True) == (
        f"unknown field `{key}`, expected , `request_id``query_id` at line 1 column 18"
    )


SUBSCRIBE = ("Subscribe", {"query_strings": ["a"], "request_id": 1})


@pytest.mark.parametrize(
    "text",
    [
        '{"Subscribe":{"query_strings":["a"],"request_id":1}}',
        '{ "Subscribe" : { "request_id" : 1 , "query_strings" : [ "a" ] } }',
        '["Subscribe",{"query_strings":["a"],"request_id":1}]',
        '[1,[["a"],1]]',
        '{"1":[["a"],1]}',
        '{"+001":[["\\u0061"],1]}',
    ],
)
def test_a_message_can_be_written_in_several_ways(text: str) -> None:
    assert read(text) == SUBSCRIBE


@pytest.mark.parametrize("written", ["[1,2]", '"0102"'])
def test_bytes_are_a_list_or_hex_digits(written: str) -> None:
    _, content = read(f'{{"OneOffQuery":{{"message_id":{written},"query_string":""}}}}')

    assert content["message_id"] == b"\1\2"


@pytest.mark.parametrize(
    ("of", "value", "written"),
    [
        (sats.IDENTITY, {"__identity__": 0xC200 << 240}, {"__identity__": "0xc200" + "0" * 60}),
        (sats.CONNECTION_ID, {"__connection_id__": 2**127}, {"__connection_id__": 2**127}),
        (sats.Option(sats.U32), 3, {"some": 3}),
        (sats.Option(sats.U32), None, {"none": []}),
        (sats.BYTES, b"\1\xff", "01ff"),
        (sats.Sum("S", {"A": sats.UNIT, "B": sats.STRING}), ("A", {}), {"A": []}),
        (sats.Sum("S", {"A": sats.UNIT, "B": sats.STRING}), ("B", 'é"'), {"B": 'é"'}),
    ],
)
def test_a_value_is_written(of: sats.Type, value: Any, written: Any) -> None:
    text = sats_json.encode(of, value)

    assert json.loads(text) == written
    assert " " not in text


@pytest.mark.parametrize("written", ['"Subscribe":{"query_strings":[%s"a"]', '"OneOffQuery":{"message_id":[%s1]'])
def test_no_more_items_are_read_than_a_list_may_have(written: str) -> None:
    items = ("1," if "message_id" in written else '"a",') * MOST_ITEMS

    with pytest.raises(TooMany):
        read(f"{{{written % items}}}")


def test_a_long_text_that_is_read_slowly_is_not_read() -> None:
    with pytest.raises(TooMany):
        read("é" * (4 * 1024 * 1024 + 1))
