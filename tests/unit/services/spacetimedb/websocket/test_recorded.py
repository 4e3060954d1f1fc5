"""What real servers said on WebSockets, played through a session.

What is random is masked. A recorded module had a table and reducers; of what it says only the shape can be compared, so
such rows are named by rule and counted.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from emulator.http.upgrade import Close, Message, Output, Send
from emulator.services.spacetimedb.websocket import bsatn, compression, messages
from emulator.services.spacetimedb.websocket.session import Session
from tests.unit.services.spacetimedb.websocket.recorded import Recorded, Said, recordings
from tests.unit.services.spacetimedb.websocket.sessions import new_session

MODULE = {"add", "two"}
"""The reducers of the recorded modules that succeed."""


def decoded(protocol: str, message: Message) -> list[Any]:
    """The server's messages in a frame, each a pair of name and content."""
    if isinstance(message, str):
        return list(json.loads(message).items())
    of = messages.V1_SERVER_BSATN if protocol == "v1.bsatn" else messages.V2_SERVER
    reader, found = bsatn.Reader(compression.unpacked(message)), []
    while not reader.at_end:
        found.append(bsatn.decode(of, reader))
    assert b"".join(bsatn.encode(of, each) for each in found) == reader.data
    return found


RANDOM = ("timestamp", "duration", "micros", "quanta")


def masked(value: Any, name: str = "") -> Any:
    """With zeros for moments, durations and energy."""
    match value:
        case dict():
            return {key: masked(each, f"{name} {key}") for key, each in value.items()}
        case list():
            return [masked(each, name) for each in value]
        case (variant, content):
            return variant, masked(content, name)
        case int() if any(part in name for part in RANDOM):
            return 0
        case _:
            return value


RANDOM_IN_TEXT = re.compile(r'("[a-z_]*(?:micros|quanta)[a-z_]*":)[0-9]+')


def comparable(protocol: str, said: Said) -> Any:
    """What of a message is not random: all of its text, or every value in its bytes, of which there are no others."""
    if said.close:
        return said.message
    if isinstance(said.message, str):
        return RANDOM_IN_TEXT.sub(r"\g<1>0", said.message)
    return said.message[:1], [masked(each) for each in decoded(protocol, said.message)]


def as_said(output: Output) -> Said:
    if isinstance(output, Send):
        return Said(output.data)
    assert isinstance(output, Close)
    return Said(output.code.to_bytes(2) + output.reason.encode(), close=True)


# --- the first message ------------------------------------------------------------------------------------------------


def connected(row: Recorded, first: Message, *, is_stubbed: Callable[[str], bool] = lambda _: False) -> Session:
    """A session of the recorded client."""
    ((_, said),) = decoded(row.protocol, first)
    chosen = {b"\0": "None", b"\1": "Brotli", b"\2": "Gzip"}[first[:1]] if isinstance(first, bytes) else "Brotli"
    return new_session(
        row.protocol,
        row.profile,
        token=said["token"],
        identity=_hex(said["identity"]["__identity__"], 64),
        connection_id=_hex(said["connection_id"]["__connection_id__"], 32),
        compression=chosen,
        is_stubbed=is_stubbed,
    )


def _hex(number: int | str, digits: int) -> str:
    return number.removeprefix("0x") if isinstance(number, str) else f"{number:0{digits}x}"


WITH_FIRST = [(row, first) for row in recordings() if (first := row.frame or row.first)]


@pytest.mark.parametrize(("row", "first"), WITH_FIRST, ids=[f"{row.profile} {row.name}" for row, _ in WITH_FIRST])
def test_the_first_message_is_the_recorded_one(row: Recorded, first: Message) -> None:
    (sent,) = connected(row, first).opened()

    assert isinstance(sent, Send)
    if isinstance(first, str) or first[:1] == b"\0":
        assert sent.data == first
    else:  # another library compresses to other bytes
        assert isinstance(sent.data, bytes)
        assert sent.data[:1] == first[:1]
        assert compression.unpacked(sent.data) == compression.unpacked(first)


# --- the messages after it --------------------------------------------------------------------------------------------


class Reason(NamedTuple):
    """Why a row is not played here."""

    text: str
    applies: Callable[[Recorded], object]


def _texts(row: Recorded) -> str:
    raw = (each.message if isinstance(each.message, bytes) else each.message.encode() for each in row.answered)
    return " ".join(each.decode("utf-8", "replace") for each in raw)


def _named(*parts: str) -> Callable[[Recorded], bool]:
    return lambda row: any(part in row.name for part in parts)


def _is_unknown_for_want_of_a_table(row: Recorded) -> bool:
    return "no such table" in _texts(row) and "Client not found" in _texts(row)


NOT_PLAYED = (
    Reason("the handshake was refused", lambda row: not row.protocol),
    Reason("only the first message was kept", lambda row: row.frame),
    Reason("the client says nothing", lambda row: not row.asked and not row.odd and not _named("early", "flood")(row)),
    Reason("the module refuses the client", _named("rejecting", "refuses")),
    Reason("another client changes a table", _named("by another")),
    Reason("the database is published or deleted meanwhile", _named("away: module")),
    Reason("frames, pings and the end are the socket's", lambda row: row.odd or _named("early", "never answered")(row)),
    Reason("no table is there, so the client stays unknown", _is_unknown_for_want_of_a_table),
)


def reason_of(row: Recorded) -> Reason | None:
    return next((reason for reason in NOT_PLAYED if reason.applies(row)), None)


PLAYED = [row for row in recordings() if reason_of(row) is None]


def test_the_rows_that_are_not_played_are_counted() -> None:
    counted = Counter(reason.text for row in recordings() if (reason := reason_of(row)))

    assert (len(recordings()), len(PLAYED)) == (395, 149)
    assert counted == {
        "the handshake was refused": 9,
        "only the first message was kept": 96,
        "the client says nothing": 62,
        "the module refuses the client": 6,
        "another client changes a table": 2,
        "the database is published or deleted meanwhile": 3,
        "frames, pings and the end are the socket's": 67,
        "no table is there, so the client stays unknown": 1,
    }


def is_of_the_module(protocol: str, said: Said) -> bool:
    """Whether a message shows tables of the module, or a reducer that did more than to succeed."""
    return not said.close and any(_shows_the_module(content) for _, content in decoded(protocol, said.message))


def _shows_the_module(value: Any) -> bool:
    match value:
        case {"tables": [_, *_]} | {"query_sets": [_, *_]} | {"table_rows": _}:
            return True
        case {"reducer_id": number} if 0 < number < 0xFFFF_FFFF:
            return True
        case "The instance encountered a fatal error.":
            return True
        case str():
            return value.startswith(("no such table", "Column projections", "invalid arguments", "can't directly call"))
        case ("Err", _):
            return True
        case dict():
            return any(map(_shows_the_module, value.values()))
        case (str(), content):
            return _shows_the_module(content)
        case _:
            return False


@pytest.mark.parametrize("row", PLAYED, ids=lambda row: f"{row.profile} {row.name}")
def test_the_answers_are_the_recorded_ones(row: Recorded) -> None:
    assert row.first
    session = connected(row, row.first, is_stubbed=MODULE.__contains__)

    answers = [as_said(output) for message in row.asked for output in session.received(message)]

    assert len(answers) == len(row.answered)
    for answer, recorded in zip(answers, row.answered, strict=True):
        if not is_of_the_module(row.protocol, recorded):
            assert comparable(row.protocol, answer) == comparable(row.protocol, recorded)


def test_the_answers_that_show_the_module_are_counted() -> None:
    counted = Counter(is_of_the_module(row.protocol, answer) for row in PLAYED for answer in row.answered)

    assert counted == {False: 141, True: 105}
