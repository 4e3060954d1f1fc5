"""Whatever a server says, it is told in a few lines, and nothing is raised."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from emulator.conformance.cases import Case, Frame, Step, table
from emulator.conformance.causes import cause
from emulator.conformance.compare import MASKS, MINTED, Response, difference, responses_in
from emulator.conformance.documents import Run, as_json, as_junit
from emulator.conformance.identify import seconds
from emulator.conformance.report import WIDTH
from emulator.conformance.report import difference as shown
from emulator.conformance.run import Outcome
from emulator.conformance.websockets import masked

REQUEST = Step("send", b"GET /v1/ping HTTP/1.1\r\n\r\n")
CASE = Case("a case", (REQUEST,), b"", masks=tuple(MASKS), group="a group", rule="a rule")

segments = st.binary(max_size=40).map(lambda data: urlsafe_b64encode(data).rstrip(b"=")) | st.sampled_from(
    [b"", b"e30", b"W10", b"eyJleHAiOjFlOTk5fQ", urlsafe_b64encode(b"[" * 1200)]
)
tokens = st.lists(segments, max_size=4).map(b".".join)
values = (
    st.sampled_from([b"Thu, 26 Nov 2026 20:11:49 GMT", b"soon", b"Thu, 99 Nov 99999 99:99:99 GMT", b"", b"1e9"])
    | tokens
)
names = st.sampled_from([b"date", b"content-length", b"spacetime-identity", b"spacetime-identity-token", b"x", b""])
lines = st.tuples(names, values).map(lambda pair: b"%b: %b" % pair) | st.binary(max_size=20)
bodies = (
    st.binary(max_size=60)
    | tokens.map(lambda token: b'{"identity":"%b","token":"%b.%b"}' % (b"c2" * 32, token, b"a" * 86))
    | st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5)
    .map(json.dumps)
    .map(str.encode)
)
answers = st.builds(
    lambda status, head, body: b"\r\n".join((b"HTTP/1.1 " + status, *head, b"", body)),
    st.binary(max_size=20),
    st.lists(lines, max_size=5),
    bodies,
) | st.binary(max_size=100)


@given(answers, st.lists(answers, max_size=2))
def test_any_answer_is_compared_and_shown(expected: bytes, found: list[bytes]) -> None:
    wrong = difference(expected, found, CASE.masks)

    if wrong is not None:
        outcome = Outcome(replace(CASE, response=expected), wrong)
        assert all(len(line) <= WIDTH and line.isprintable() for line in shown(outcome))
        run = Run("http://x", "a table", "v1", [outcome])
        assert as_json(run)
        assert as_junit(run)


members = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=90) | st.lists(st.text()))
objects = members.map(json.dumps).map(str.encode).map(lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body)


@given(answers | objects, answers | objects, st.sampled_from([(), ("date",), MINTED]))
def test_any_difference_has_a_cause_in_one_line(expected: bytes, found: bytes, masks: tuple[str, ...]) -> None:
    wrong = difference(expected, [found], masks)

    assert wrong is None or cause(wrong).isprintable()


@given(answers)
def test_an_answer_is_like_itself(answer: bytes) -> None:
    whole = b"HTTP/1.1 200 OK\r\n" + answer

    assert difference(whole, responses_in(whole), MINTED) is None


@given(answers)
def test_any_date_is_read_or_is_none(answer: bytes) -> None:
    found = seconds(Response.of(answer))

    assert found is None or isinstance(found, int)


WEBSOCKETS = [case for profile in ("v1", "v2.8") for case in table(profile).cases if case.turns]
frames: st.SearchStrategy[Frame] = st.tuples(st.sampled_from([0x81, 0x82, 0x88, 0x01, 0x8A]), st.binary(max_size=80))


@given(st.sampled_from(WEBSOCKETS), frames, st.booleans())
def test_any_frame_is_masked(case: Case, frame: Frame, first: bool) -> None:
    assert masked(case, frame, is_first=first)
