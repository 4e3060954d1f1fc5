"""The control token as people write it, and hosts that are not served without one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from emulator import Emulator, Misconfigured, running, running_in_thread
from emulator.control.control_token import control_token, read_control_token
from tests.waiting import PATIENCE

OPEN = ["0.0.0.0", "::", "", "192.168.1.1", "example.com", "127.1", "localhost.example.com", "[::]", "::%lo"]


@pytest.mark.parametrize("host", OPEN)
def test_a_host_that_is_open_to_others_is_not_served_without_a_token(host: str) -> None:
    with pytest.raises(Misconfigured, match="open to other machines"), running_in_thread(host=host):
        pytest.fail("it was served")


@pytest.mark.parametrize("host", OPEN)
def test_neither_is_it_in_a_running_loop(host: str) -> None:
    with pytest.raises(Misconfigured, match="open to other machines"):
        asyncio.run(url_in_a_running_loop(host=host))


async def url_in_a_running_loop(**settings: str) -> str:
    async with running(**settings) as emulator:  # type: ignore[arg-type]
        return emulator.url


@pytest.mark.parametrize("token", ["", " ", "\n", "\t\r\n"])
def test_an_empty_token_is_a_mistake(token: str) -> None:
    with pytest.raises(Misconfigured, match="the control token is empty"), running_in_thread(control_token=token):
        pytest.fail("it was served")


@pytest.mark.parametrize("token", ["a\nb", "tökén", "a\x00b", "a\u2028b", "\udcff"])
def test_a_token_that_no_header_carries_is_a_mistake_and_not_quoted(token: str) -> None:
    with pytest.raises(Misconfigured, match="which no header can carry") as error:
        control_token(token)

    assert token not in str(error.value)


def state(emulator: Emulator, **headers: str) -> int:
    return requests.get(f"{emulator.url}/_emulator/state", headers=headers, timeout=PATIENCE).status_code


def test_with_a_token_another_host_is_served_to_those_who_send_it() -> None:
    with running_in_thread(host="0.0.0.0", control_token="s3cret\n") as emulator:
        statuses = state(emulator), state(emulator, Authorization="Bearer s3cret")

    assert statuses == (401, 200)


def test_with_a_token_a_running_loop_serves_it_too() -> None:
    url = asyncio.run(url_in_a_running_loop(host="0.0.0.0", control_token="s3cret"))

    assert url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("text", ["s3cret", "s3cret\n", "\ufeffs3cret\r\n", "  s3cret  "])
def test_a_token_is_read_from_a_file_without_what_is_around_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8", newline="")

    assert read_control_token(file) == "s3cret"


def _nothing(file: Path) -> None:
    """It is not there."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_nothing, "can't read --control-token-file"),
        (Path.mkdir, "can't read --control-token-file"),
        (lambda file: file.write_bytes(b"\n"), "the control token is empty"),
        (lambda file: file.write_bytes(b"\xff"), "which no header can carry"),
        (lambda file: file.write_bytes(b"x" * 10_000), "more than 8192 bytes"),
    ],
)
def test_a_file_without_a_token_is_a_mistake(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path / "token")

    with pytest.raises(Misconfigured, match=message):
        read_control_token(tmp_path / "token")
