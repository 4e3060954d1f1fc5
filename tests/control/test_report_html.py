"""`emulator.report_html(path)`: what a failed test leaves behind, from this process and from another one."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator, Misconfigured
from emulator.control.remote import RemoteEmulator
from emulator.journal import recorded
from tests.client import create
from tests.conftest import API_KEY
from tests.unit.journal.test_html_report import data_in
from tests.waiting import PATIENCE


@pytest.fixture(params=["local", "remote"])
def handle(emulator: Emulator, request: pytest.FixtureRequest) -> Emulator:
    return emulator if request.param == "local" else RemoteEmulator(emulator.url)


def data_of(handle: Emulator, folder: Path, **options: Any) -> Any:
    return data_in(handle.report_html(folder / "report.html", **options).read_text(encoding="utf-8"))


def verify(emulator: Emulator, token: str) -> None:
    url = f"{emulator.url}/v1/identity/{'c2' * 32}/verify"
    requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)


def test_it_has_the_exchanges_as_rows_and_whole(handle: Emulator, tmp_path: Path) -> None:
    create(handle)
    requests.get(f"{handle.url}/nowhere", timeout=PATIENCE)

    found = data_of(handle, tmp_path)

    assert [(row["method"], row["path"], row["status"]) for row in found["rows"]] == [
        ("POST", "/identity", 200),
        ("GET", "/nowhere", 404),
    ]
    whole = found["answers"]["journal"]["exchanges"]
    assert [each["n"] for each in whole] == [1, 2]
    assert '"display_name":"JP"' in whole[0]["response"]["body"].replace(" ", "")
    assert found["curls"]["1"] == f"curl -i {handle.url}/nowhere"


def test_it_says_of_each_token_which_check_failed_at_the_time_of_its_exchange(handle: Emulator, tmp_path: Path) -> None:
    handle.clock.freeze("2026-01-01T00:00:00Z")
    verify(handle, handle.spacetime.issue_token(subject="alice", expires_in=60))
    verify(handle, handle.spacetime.issue_token(subject="alice", expires_in=-72))
    handle.clock.advance(3600)
    create(handle)

    found = data_of(handle, tmp_path)["inspections"]

    assert {place: each["accepted"] for place, each in found.items()} == {"0": True, "1": False}
    [failed] = [each for each in found["1"]["checks"] if each["result"] == "failed"]
    assert (failed["name"], failed["reason"][:14]) == ("expiry", "expired 72 s a")
    assert [each["profile"] for each in found["1"]["profiles"]] == ["documented", "v1", "v2.8", "v2.14"]


def test_it_has_the_world(handle: Emulator, tmp_path: Path) -> None:
    handle.load("two_friends")
    handle.faults.add("GET /v1/ping", nth=2, status=503)

    found = data_of(handle, tmp_path, title="tests/test_it.py::test_it", notes=["fault not done"])

    assert (found["title"], found["notes"]) == ("tests/test_it.py::test_it", ["fault not done"])
    assert found["heading"].startswith("seed=1 documented scenario=two_friends clock=")
    assert found["answers"]["faults"]["faults"][-1]["status"] == "waiting"
    assert found["answers"]["scenario"]["scenario"] == ["two_friends"]
    assert found["answers"]["actors"]["actors"]["alice"]["token"] == "***"
    assert found["written"] == found["answers"]["state"]["clock"]["now"]


def test_secrets_are_masked_unless_asked_for(handle: Emulator, tmp_path: Path) -> None:
    handle.load("two_friends")
    create(handle)
    verify(handle, token := handle.actors["alice"].token)

    masked = handle.report_html(tmp_path / "masked.html").read_text(encoding="utf-8")
    shown = handle.report_html(tmp_path / "shown.html", secrets=True).read_text(encoding="utf-8")

    assert "eyJ" not in str(data_in(masked))
    assert API_KEY not in masked
    assert (token in shown, API_KEY in shown) == (True, True)
    assert (data_in(masked)["masked"], data_in(shown)["masked"]) == (True, False)


def test_nothing_of_a_request_is_markup(handle: Emulator, tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script><!--"
    requests.post(f"{handle.url}/v1/x", data=hostile.encode(), headers={"x-a": hostile}, timeout=PATIENCE)
    verify(handle, handle.spacetime.issue_token(subject=hostile))

    page = handle.report_html(tmp_path / "report.html").read_text(encoding="utf-8")

    assert hostile not in page
    assert data_in(page)["answers"]["journal"]["exchanges"][0]["request"]["body"] == hostile


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"x" * 20_000])
def test_any_body_is_in_it(handle: Emulator, tmp_path: Path, body: bytes) -> None:
    requests.post(f"{handle.url}/v1/x", data=body, timeout=PATIENCE)

    sent = data_of(handle, tmp_path)["answers"]["journal"]["exchanges"][0]["request"]

    assert sent["size"] == len(body)
    assert ("left out" in sent["body"]) == (body[:1] == b"\xff")


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "x" * 30_000])
def test_what_is_no_token_is_no_reason_to_fail(handle: Emulator, tmp_path: Path, token: str) -> None:
    requests.get(f"{handle.url}/v1/ping", headers={"Authorization": f"Bearer {token}".encode()}, timeout=PATIENCE)

    assert len(data_of(handle, tmp_path)["rows"]) == 1


def test_there_is_a_limit(handle: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST_EXCHANGES", 2)
    for _ in range(3):
        create(handle)

    found = data_of(handle, tmp_path)

    assert [row["n"] for row in found["rows"]] == [2, 3]
    assert "1 earlier exchanges, for which there is no room" in found["notes"]


def test_there_is_a_limit_for_bodies_and_the_last_ones_are_kept(
    handle: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "MOST_OF_BODIES", 2500)
    for _ in range(3):
        requests.post(f"{handle.url}/v1/x", data=b"a" * 1000, timeout=PATIENCE)

    found = data_of(handle, tmp_path)
    sent = [each["request"] for each in found["answers"]["journal"]["exchanges"]]

    assert [(len(each["body"]), each["size"]) for each in sent] == [(0, 1000), (1000, 1000), (1000, 1000)]
    assert "the bodies of the first 1 exchanges, for which there is no room" in found["notes"]
    assert "of which 0 were kept" in found["curls"]["0"]


def test_there_is_a_limit_in_bytes(handle: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST_BYTES", 3000)
    for _ in range(5):
        create(handle)

    assert 0 < len(data_of(handle, tmp_path)["rows"]) < 5


def test_folders_are_made_and_a_file_is_replaced(handle: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "report.html"
    handle.report_html(path)
    create(handle)

    assert handle.report_html(str(path)) == path
    assert len(data_in(path.read_text(encoding="utf-8"))["rows"]) == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")
def test_a_device_is_written_to_and_stays(handle: Emulator, tmp_path: Path) -> None:
    """By a link of our own, so that what replaced it would not replace the machine's."""
    link = tmp_path / "null"
    link.symlink_to(os.devnull)

    handle.report_html(link)

    assert link.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")
def test_a_pipe_that_nobody_reads_stays_and_keeps_nobody(handle: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    with pytest.raises(Misconfigured, match="can't write"):
        handle.report_html(path)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("path", [".", "..", "/"])
def test_a_folder_is_not_taken_for_a_file(handle: Emulator, path: str) -> None:
    with pytest.raises(Misconfigured, match="it is a folder"):
        handle.report_html(path)


@pytest.mark.parametrize("path", ["a\0b", "a\0b/c"])
def test_a_name_that_no_file_can_have_is_said(handle: Emulator, path: str) -> None:
    with pytest.raises(Misconfigured, match="can't write"):
        handle.report_html(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a folder can't be opened there at all")
def test_what_can_not_be_written_is_said(handle: Emulator, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(Misconfigured, match="can't write"):
        handle.report_html(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_with_secrets_is_readable_by_its_owner_only(handle: Emulator, tmp_path: Path) -> None:
    path = handle.report_html(tmp_path / "report.html", secrets=True)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("path", [5, None, ""])
def test_what_is_no_path_is_said(handle: Emulator, path: Any) -> None:
    with pytest.raises(Misconfigured, match="expected the path of a file"):
        handle.report_html(path)
