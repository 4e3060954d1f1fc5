"""How cases are run, against servers that say what they are told to."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.conformance.cases import PAGE, Case, Step
from emulator.conformance.run import MOST_TRIES, Given, Outcome, run
from emulator.conformance.target import Target, Unusable
from emulator.conformance.tokens import Keys
from tests.unit.conformance.servers import KEY, OK, Serve, always, http, saying, serving, with_a_key
from tests.unit.conformance.test_tokens import private_pem, public_pem, token

KEYS = Keys.of(
    private_pem(ec.derive_private_key(7, ec.SECP256R1())), public_pem(ec.derive_private_key(7, ec.SECP256R1()))
)
PING = b"GET /v1/ping HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n\r\n"
MOMENT = datetime(2026, 11, 26, 20, 11, 49, tzinfo=UTC)
HOLDS = Case("holds", (Step("send", PING),), OK, closed=None, moment=MOMENT, group="ping", rule="a rule")
DIFFERS = replace(HOLDS, name="differs", response=OK.replace(b"ok", b"no"))


def ran(serve: Serve, *cases: Case, given: Given | None = None, most: int = 1000) -> list[Outcome]:
    with serving(with_a_key(serve)) as target:
        return list(run(cases, target, given, patience=0.2, most=most))


def test_each_case_is_said_to_hold_or_to_differ() -> None:
    outcomes = ran(always, HOLDS, DIFFERS, HOLDS)

    assert [each.state for each in outcomes] == ["holds", "differs", "holds"]


def test_there_is_never_more_than_one_connection() -> None:
    waiting = list[int]()

    def serve(connection: socket.socket) -> None:
        waiting.append(1)
        assert sum(waiting) == 1
        always(connection)
        waiting.append(-1)

    assert [each.state for each in ran(serve, HOLDS, HOLDS, HOLDS)] == ["holds"] * 3


def dated(body: bytes, second: int) -> bytes:
    return http(body).replace(b"20:11:49", b"20:11:%d" % second)


def test_a_case_is_sent_again_as_long_as_the_second_passes_for_which_its_tokens_were_made() -> None:
    answers = iter([dated(b"no", 50), dated(b"no", 51), dated(b"ok", 51)])

    def serve(connection: socket.socket) -> None:
        saying(next(answers))(connection)

    (outcome,) = ran(serve, replace(HOLDS, masks=("other headers",)))

    assert outcome.state == "holds"


def test_a_case_is_not_sent_again_and_again() -> None:
    answers = map(partial(dated, b"no"), count(50))
    sent = list[bytes]()

    def serve(connection: socket.socket) -> None:
        sent.append(next(answers))
        saying(sent[-1])(connection)

    (outcome,) = ran(serve, HOLDS)

    assert (outcome.state, len(sent)) == ("differs", MOST_TRIES)


def test_a_case_that_differs_once_is_sent_again() -> None:
    answers = iter([http(b"no"), http(b"ok")])

    def serve(connection: socket.socket) -> None:
        saying(next(answers))(connection)

    (outcome,) = ran(serve, replace(HOLDS, masks=("other headers",)))

    assert outcome.state == "holds"


def test_what_needs_keys_is_left_out_without_them() -> None:
    (outcome,) = ran(always, replace(HOLDS, needs=("keys",)))

    assert outcome.state == "left out"
    assert "--jwt-priv-key-path" in str(outcome.left_out)


def test_what_needs_a_database_is_left_out_without_its_name() -> None:
    assert "--database" in str(ran(always, replace(HOLDS, needs=("database",)))[0].left_out)


def asked_of(case: Case, given: Given) -> bytes:
    """What a server gets last, in the place of the case."""
    got = list[bytes]()

    def serve(connection: socket.socket) -> None:
        got.append(connection.recv(65536))
        connection.sendall(OK)

    ran(serve, case, given=given)
    return got[-1]


def test_the_name_of_the_database_is_put_in_the_place_of_the_recorded_one() -> None:
    request = b"GET /v1/database/alpha/subscribe HTTP/1.1\r\n\r\n"
    case = replace(HOLDS, steps=(Step("send", request),), needs=("database",))

    assert asked_of(case, Given(database="my game")).startswith(b"GET /v1/database/my%20game/subscribe ")


def test_the_recorded_host_becomes_the_targets() -> None:
    assert b"\r\nHost: 127.0.0.1:3000\r\n" not in asked_of(HOLDS, Given())


def test_a_difference_shows_the_recorded_token_and_not_the_one_that_the_target_takes() -> None:
    old = token('{"sub":"alice","iss":"localhost"}')

    def echo(connection: socket.socket) -> None:
        got = connection.recv(65536).partition(b"Bearer ")[2].strip()
        assert got != old
        connection.sendall(http(got))

    steps = (Step("send", b"GET / HTTP/1.1\r\nAuthorization: Bearer %b\r\n\r\n" % old),)
    case = replace(HOLDS, steps=steps, response=http(b"nothing"))
    with serving(with_a_key(echo, KEYS.public_pem)) as target:
        (outcome,) = run([case], target, Given(KEYS), patience=0.2)

    assert outcome.difference is not None
    assert outcome.difference.found == old


def test_no_more_requests_are_sent_than_allowed() -> None:
    outcomes = ran(always, *[HOLDS] * 5, most=3)

    assert [each.state for each in outcomes] == ["holds"] * 3 + ["left out"] * 2


def test_a_case_that_asks_whether_the_connection_is_open_is_two_requests() -> None:
    outcomes = ran(always, *[replace(HOLDS, closed=False)] * 2, most=3)

    assert [each.state for each in outcomes] == ["holds", "left out"]


# --- targets that can't be held against anything ----------------------------------------------------------------------


def refused(serve: Serve, *cases: Case, given: Given | None = None) -> str:
    with serving(serve) as target, pytest.raises(Unusable) as raised:
        list(run(cases or [HOLDS], target, given, patience=0.1))
    return str(raised.value)


def test_nobody_there_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Unusable, match=f"127.0.0.1:{port} can't be reached: .*; see that it is up"):
        run([HOLDS], Target("127.0.0.1", port))


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>not found</html>", b"404 Not Found"),
        http(b"<html>welcome</html>"),
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(KEY), KEY),
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ndate: soon\r\n\r\n%b" % (len(KEY), KEY),
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
    ],
    ids=["not found", "another page", "no date", "no good date", "no good length"],
)
def test_a_server_of_another_kind_is_told_before_a_case_is_sent(answer: bytes) -> None:
    assert "not with a key and its date: give the address of a server with" in refused(saying(answer))


@pytest.mark.parametrize("answer", [http(b"<html>welcome</html>"), http(b"[]"), http(b"", b"404 Not Found")])
def test_a_server_that_has_nothing_of_intuition_is_told_before_a_case_is_sent(answer: bytes) -> None:
    page = replace(HOLDS, moment=None, group=PAGE)

    assert "give the address of a server with Intuition's /identity" in refused(saying(answer), page)


def test_a_database_that_the_target_does_not_have_is_told_before_a_case_is_sent() -> None:
    said = refused(with_a_key(saying(http(b"", b"404 Not Found"))), given=Given(database="no such"))

    assert "has no database 'no such': give the name of one that it has (--database)" in said


@pytest.mark.parametrize("answer", [b"", b"220 mail.example ESMTP\r\n\r\n", b"\x15\x03\x01\0\2\2\x46" * 9])
def test_a_server_that_speaks_no_http_is_told(answer: bytes) -> None:
    assert "gives no HTTP response" in refused(saying(answer))


def test_another_key_than_the_one_given_is_told() -> None:
    said = refused(with_a_key(always), given=Given(keys=KEYS))

    assert "has another public key than the one given" in said


def test_a_response_that_lacks_a_header_is_no_silence() -> None:
    expected = replace(HOLDS, response=OK.replace(b"\r\n\r\n", b"\r\nallow: GET\r\n\r\n"), masks=("other headers",))

    assert [each.state for each in ran(always, *[expected] * 9)] == ["differs"] * 9


def test_a_server_that_stops_answering_is_told() -> None:
    def hang(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    assert "said nothing to 3 cases in a row" in refused(with_a_key(hang), *[HOLDS] * 9)


def test_a_server_that_goes_away_is_told() -> None:
    with serving(with_a_key(always)) as target:
        outcomes: Iterator[Outcome] = run([HOLDS, HOLDS], target)
        next(outcomes)

    with pytest.raises(Unusable, match=r"can't be reached: .*holds"):
        next(outcomes)


def test_a_response_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.conformance.replay.LONGEST", 100_000)

    def pour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            return

    assert [each.state for each in ran(pour, HOLDS)] == ["differs"]


# --- two servers ------------------------------------------------------------------------------------------------------


def compared(one: Serve, other: Serve, case: Case = HOLDS) -> Outcome:
    with serving(with_a_key(one)) as target, serving(with_a_key(other)) as second:
        (outcome,) = run([case], target, other=second, patience=0.2)
    return outcome


def test_two_servers_that_say_the_same_hold_whatever_was_recorded() -> None:
    assert compared(always, always, DIFFERS).state == "holds"


def test_two_servers_that_differ_are_shown_beside_each_other() -> None:
    wrong = compared(always, saying(OK.replace(b"ok", b"no"))).difference

    assert wrong is not None
    assert (wrong.expected, wrong.found) == (b"no", b"ok")


def test_two_servers_are_compared_whole_also_where_only_a_part_was_recorded() -> None:
    case = replace(HOLDS, masks=("other headers", "reason", "body"))

    assert compared(always, saying(OK.replace(b"ok", b"no")), case).state == "differs"


# --- a documentation page ---------------------------------------------------------------------------------------------


def test_a_server_that_has_all_of_a_page_needs_no_public_key() -> None:
    page = replace(HOLDS, moment=None, group=PAGE)

    with serving(saying(http(b"{}"))) as target:
        (outcome,) = run([replace(page, response=http(b"{}"))], target)

    assert outcome.state == "holds"


def test_the_api_key_that_was_given_is_sent() -> None:
    request = b"GET /identities HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nx-api-key: <api key>\r\n\r\n"
    page = replace(
        HOLDS, moment=None, group=PAGE, steps=(Step("fill", request),), needs=("api_key",), response=http(b"{}")
    )
    seen = list[bytes]()

    def serve(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(http(b"{}"))

    with serving(serve) as target:
        outcomes = [next(run([page], target, Given(api_key=key))).state for key in ("k-1", None)]

    assert outcomes == ["holds", "left out"]
    assert [b"\r\nx-api-key: k-1\r\n" in request for request in seen] == [False, True, False]


def test_a_request_is_made_of_the_response_before_it() -> None:
    steps = (Step("fill", PING), Step("wait", 1), Step("fill", b"GET /<id> HTTP/1.1\r\n\r\n"))
    page = replace(HOLDS, moment=None, group=PAGE, steps=steps, response=http(b'{"id":"f9"}') + OK, masks=())
    seen = list[bytes]()

    def serve(connection: socket.socket) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(http(b'{"id":"f9"}'))
        seen.append(connection.recv(65536))
        connection.sendall(OK)

    with serving(serve) as target:
        (outcome,) = run([page], target)

    assert outcome.state == "holds"
    assert seen[-1] == b"GET /f9 HTTP/1.1\r\n\r\n"
