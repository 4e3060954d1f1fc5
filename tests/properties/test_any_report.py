"""Whatever was sent, a report stays within its limits, and no character of it steers a terminal or becomes markup."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.journal.exchange import Exchange, Message, head_of
from emulator.journal.html_report import in_script
from emulator.journal.recorded import recorded
from emulator.journal.report import MOST_BYTES, MOST_LINES, report
from emulator.journal.row import row

HEADERS = st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=400)), max_size=4)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.sampled_from([b"[" * 5000, b"\n" * 10_000, b"\xff" * 16_384, b"\xe2\x80\xae" * 999]),
    st.just(b'{"a":[' + b"1," * 5000 + b"1]}"),
)
MESSAGES = st.builds(
    lambda headers, body, more: Message(head_of(headers), body, len(body) + more),
    HEADERS,
    BODIES,
    st.sampled_from([0, 0, 10**9]),
)
TEXTS = st.one_of(st.text(max_size=100), st.sampled_from(["\n" * 3000, "\u202e" * 3000, "😀" * 3000, "a" * 70_000]))
EXCHANGES = st.builds(
    Exchange,
    number=st.integers(1, 10**9),
    method=st.sampled_from(["GET", "POST", "HEAD", "A" * 3000]),
    target=TEXTS.map(lambda text: f"/{text}"),
    operation=st.just(""),
    request=MESSAGES,
    status=st.sampled_from([0, 200, 401, 503]),
    response=MESSAGES,
    why=TEXTS,
    micros=st.integers(0, 2**50),
    duration=st.floats(0, 1e9),
    actor=TEXTS,
    after=st.floats(0, 1e9),
)


LIMITS = st.tuples(st.integers(1, 300), st.integers(1, 30_000))
URL = "http://127.0.0.1:3000"


@settings(max_examples=40)
@given(st.lists(EXCHANGES, max_size=6), st.sampled_from([1, 3, 100]), TEXTS, st.booleans(), LIMITS)
def test_a_report_is_within_its_limits(
    exchanges: list[Exchange], times: int, heading: str, secrets: bool, limits: tuple[int, int]
) -> None:
    many, (lines, size) = exchanges * times, limits

    whole = report(many, URL, heading=heading, secrets=secrets)
    short = report(many, URL, heading=heading, lost=heading, secrets=secrets, lines=lines, size=size)

    assert whole.count("\n") < MOST_LINES
    assert len(whole.encode()) <= MOST_BYTES
    assert short.count("\n") < lines
    assert len(short.encode()) <= size
    assert all(character.isprintable() or character == "\n" for character in whole + short)


@settings(max_examples=40)
@given(EXCHANGES, st.booleans())
def test_a_row_is_short_and_printable(exchange: Exchange, secrets: bool) -> None:
    found = row(exchange, secrets=secrets)

    texts = [value for value in found.values() if isinstance(value, str)]
    assert all(text.isprintable() for text in texts)
    assert len(json.dumps(found)) < 60_000


@settings(max_examples=40)
@given(st.lists(EXCHANGES, max_size=6), st.booleans())
def test_any_exchange_can_be_in_a_file(exchanges: list[Exchange], secrets: bool) -> None:
    found = recorded(exchanges, URL, lambda token, micros: {"text": token, "checks": []}, secrets=secrets)

    assert len(found.rows) == len(found.exchanges) == len(found.curls)
    assert found.earlier + len(found.rows) == len(exchanges)
    assert json.loads(in_script(found._asdict())) == json.loads(json.dumps(found._asdict()))
