"""What is said of an address where no emulator is, or something else, or one that can't be spoken to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulator import Misconfigured
from emulator.control.remote import RemoteEmulator
from tests.waiting import PATIENCE


def said(url: str, token: str | None = None) -> str:
    with pytest.raises(Misconfigured) as raised:
        RemoteEmulator(url, token).snapshot()
    return str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nowhere",
        "http://",
        "http://[::1",
        "http://[::1]x:3000",
        "http://[1.2]:3000",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:-1",
        "http://:3000",
        "http://a..b:3000",
        "http://127.0.0.1:3000/?a=b",
        "http://127.0.0.1:3000/#a",
        "http://me:secret@127.0.0.1:3000",
        "http://127.0.0.1 :3000",
        "http://127.0.0.1:3000/\x7f",
        "http://127.0.0.1\n:3000",
        "http://ä:3000",
        f"http://{'a' * 64}:3000",
        "tcp://127.0.0.1:3000",
        "http:127.0.0.1:3000",
    ],
)
def test_what_is_no_address_is_told_how_one_is_written(url: str) -> None:
    message = said(url)

    assert message.endswith("is not the URL of an emulator; write it like http://127.0.0.1:3000")
    assert "secret" not in message


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("a\nb", "character 2 of the control token is U+000A"),
        ("s3cret\x00", "character 7 of the control token is U+0000"),
        ("tökén", "character 2 of the control token is U+00F6"),
        ("\n", "the control token is empty"),
    ],
)
def test_a_token_that_no_header_can_carry_is_refused_with_the_reason(token: str, why: str) -> None:
    message = said("http://127.0.0.1:9", token)

    assert message.startswith(why)
    assert "no emulator answers" not in message
    assert not token.strip() or token not in message


def test_a_connection_that_fails_is_no_emulator_there() -> None:
    assert said("http://127.0.0.1:9").startswith("no emulator answers at http://127.0.0.1:9 (")


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of something that answers the first request so, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=work)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"-ERR unknown command\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        HEAD + b"<!DOCTYPE",
        HEAD + b"\xff" * 9,
        HEAD + b'{"a": 1,}',
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
    ],
)
def test_something_else_that_answers_is_named_as_such(answer: bytes) -> None:
    with answering(answer) as url:
        assert said(url) == f"the server at {url} is not an identity-emulator"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_connection_that_ends_too_early_is_told(answer: bytes) -> None:
    with answering(answer) as url:
        assert said(url) == f"{url} closed the connection before it had answered"


@pytest.mark.parametrize("body", [b"", b"nothing", b"{}", b"[]", b'{"error": 1, "hint": 2}', b"\xff"])
def test_another_servers_refusal_is_no_traceback(body: bytes) -> None:
    with answering(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as url:
        assert said(url).startswith(f"{url} answered 500: ")


def test_an_emulator_that_does_not_answer_in_time_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.control.remote.client._PATIENCE", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert said(url) == f"{url} was connected to, but did not answer within 0.01 s"
