"""Whatever a client sends on a WebSocket, a session answers it, or closes once; and the journal can show it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emulator.http.upgrade import Close, Send
from emulator.services.spacetimedb.websocket import bsatn, messages, sats, sats_json
from tests.unit.services.spacetimedb.websocket.sessions import new_session

PROTOCOLS = st.sampled_from(["v1.bsatn", "v1.json", "v2.bsatn", "v3.bsatn"])
PROFILES = st.sampled_from(["v1", "v2.8", "v2.14"])
V1_CLIENT = messages.v1_client(sats.BYTES, "QueryId")
V1_CLIENT_JSON = messages.v1_client(sats.STRING, "QueryId")


def values(of: sats.Type) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    match of:
        case sats.Int():
            return st.integers(of.lowest, of.highest)
        case sats.Flag():
            return st.integers(0, of.count - 1)
        case sats.String():
            return st.text(max_size=10)
        case sats.Bytes():
            return st.binary(max_size=10)
        case sats.Array(item):
            return st.lists(values(item), max_size=3)
        case sats.Option(item):
            return st.none() | values(item)
        case sats.Product():
            return st.fixed_dictionaries({name: values(field) for name, field in of.fields.items()})
        case sats.Sum():
            return st.one_of([st.tuples(st.just(name), values(content)) for name, content in of.variants.items()])


SERVERS = st.sampled_from([messages.V1_SERVER_BSATN, messages.V2_SERVER, V1_CLIENT, messages.V2_CLIENT_WITH_BATCHES])


@given(data=st.data(), of=SERVERS)
def test_every_message_is_read_as_it_was_written(data: st.DataObject, of: sats.Sum) -> None:
    value = data.draw(values(of))

    assert bsatn.decode(of, bsatn.Reader(bsatn.encode(of, value))) == value


@given(value=values(V1_CLIENT_JSON))
def test_every_message_in_json_is_read_as_it_was_written(value: Any) -> None:
    assert sats_json.decode(sats_json.shape(V1_CLIENT_JSON), sats_json.encode(V1_CLIENT_JSON, value)) == value


GOOD = st.one_of(
    values(V1_CLIENT).map(lambda value: bsatn.encode(V1_CLIENT, value)),
    values(messages.V2_CLIENT_WITH_BATCHES).map(lambda value: bsatn.encode(messages.V2_CLIENT_WITH_BATCHES, value)),
    values(V1_CLIENT_JSON).map(lambda value: sats_json.encode(V1_CLIENT_JSON, value)),
)


@st.composite
def nearly_good(draw: st.DrawFn) -> Any:
    """A message in which something was cut out or put in."""
    message: Any = draw(GOOD)
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(message))] * 2)))
    added: Any = draw(st.text(max_size=4) if isinstance(message, str) else st.binary(max_size=4))
    return message[:start] + added + message[end:]


ANY = st.one_of(st.binary(), st.text(), st.text(st.characters()), GOOD, nearly_good())


@given(protocol=PROTOCOLS, profile=PROFILES, sent=st.lists(ANY, max_size=8))
def test_a_session_answers_or_closes_once(protocol: str, profile: str, sent: list[Any]) -> None:
    session = new_session(protocol, profile, is_stubbed=lambda name: len(name) == 1)
    kind = str if protocol == "v1.json" else bytes

    outputs = [output for message in sent for output in session.received(message)]

    closes = [output for output in outputs if isinstance(output, Close)]
    assert closes in ([], outputs[-1:])
    for output in outputs:
        assert isinstance(output, Send | Close)
        if isinstance(output, Send):
            assert isinstance(output.data, kind)
            assert session.text_of(output.data, by_client=False).isprintable()


@given(protocol=PROTOCOLS, message=ANY, by_client=st.booleans())
def test_any_message_is_shown_in_one_line(protocol: str, message: Any, by_client: bool) -> None:
    words = new_session(protocol, "v2.14").text_of(message, by_client=by_client)

    assert words.isprintable()
    assert 0 < len(words) < 3000
