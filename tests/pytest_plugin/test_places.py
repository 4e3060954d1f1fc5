"""Where servers listen, and what their control routes demand."""

import socket

import pytest

from tests.pytest_plugin.inner import Run

STATE = """
    import urllib.error, urllib.request

    def state(emulator, token=None, path="/_emulator/state"):
        headers = {"X-Emulator-Token": token} if token else {}
        try:
            return urllib.request.urlopen(urllib.request.Request(emulator.url + path, headers=headers)).status
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code
"""


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.mark.parametrize("make", ["make_identity_emulator(", "stack.enter_context(identity_emulator_factory("])
def test_a_further_server_beyond_loopback_draws_a_token_that_its_handle_has(run: Run, make: str) -> None:
    ends = ")" * make.count("(")
    run.write(STATE, "states.py")
    run.write(f"""
        import contextlib
        from states import state

        def test_drawn(make_identity_emulator, identity_emulator_factory):
            with contextlib.ExitStack() as stack:
                open_one = {make}host="0.0.0.0"{ends}
                other = {make}host="0.0.0.0"{ends}
                assert len(open_one.control_token) > 20
                assert open_one.control_token != other.control_token
                assert state(open_one) == 401
                assert state(open_one, open_one.env()["IDENTITY_EMULATOR_CONTROL_TOKEN"]) == 200
                assert create(open_one)[0] == 200

        def test_given(make_identity_emulator, identity_emulator_factory):
            with contextlib.ExitStack() as stack:
                guarded = {make}control_token=" s3cret "{ends}
                assert guarded.control_token == "s3cret" and state(guarded) == 401 and state(guarded, "s3cret") == 200

        def test_loopback(make_identity_emulator, identity_emulator_factory):
            with contextlib.ExitStack() as stack:
                own = {make}host="127.0.0.1", port={free_port()}{ends}
                assert own.control_token is None and own.port and state(own) == 200
                assert "IDENTITY_EMULATOR_CONTROL_TOKEN" not in own.env()
    """)

    outcome = run()

    assert "3 passed" in outcome.summary, outcome


def test_the_ini_file_places_the_sessions_server(run: Run) -> None:
    port = free_port()
    (run.folder / "pytest.ini").write_text(
        f"[pytest]\nidentity_emulator_host = 0.0.0.0\nidentity_emulator_port = {port}\n"
        "identity_emulator_control_token = s3cret\n"
    )
    run.write(f"""
        def test_it(identity_emulator, identity_emulator_server, make_identity_emulator):
            assert identity_emulator.url == identity_emulator_server.url == "http://127.0.0.1:{port}"
            assert identity_emulator.control_token == "s3cret"
            assert identity_emulator_server.env()["IDENTITY_EMULATOR_CONTROL_TOKEN"] == "s3cret"
            further = make_identity_emulator()
            assert further.port != {port} and further.control_token == "s3cret"
    """)

    outcome = run()

    assert "1 passed" in outcome.summary, outcome


def test_the_ini_files_token_is_that_of_an_emulator_elsewhere_too(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_control_token = s3cret\n")
    run.write("def test_it(identity_emulator): assert create(identity_emulator)[0] == 200")
    from emulator import running_in_thread

    with running_in_thread(control_token="s3cret") as emulator:
        outcome = run("--identity-emulator-url", emulator.url)

    assert "1 passed" in outcome.summary, outcome


MISTAKES = {
    "host=5": "host is 5; it is a name or an address like '0.0.0.0'",
    "host=''": "host is ''; it is a name or an address",
    "port='3000'": "port is '3000'; it is a number from 0 to 65535",
    "port=True": "port is True; it is a number",
    "port=65536": "port is 65536; it is a number from 0 to 65535",
    "hots='0.0.0.0'": "has no keyword 'hots'; did you mean 'host'?",
    "control_token='s3c\\nret'": "character 4 of the control token is U+000A",
    "control_token=''": "the control token is empty",
    "host='192.0.2.1'": "can't listen on 192.0.2.1:0",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_place_is_one_sentence(run: Run, mistake: str) -> None:
    run.write(f"def test_it(make_identity_emulator): make_identity_emulator({mistake})")

    outcome = run()

    assert f"identity-emulator: {'make_identity_emulator ' if 'hots' in mistake else ''}{MISTAKES[mistake]}" in outcome
    assert "conftest_plugin.py:" not in outcome


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("identity_emulator_port = http", "identity_emulator_port is 'http'; it is a number, 0 for a free port"),
        ("identity_emulator_port = 70000", "port is 70000; it is a number from 0 to 65535"),
        ("identity_emulator_control_token = é", "character 1 of the control token is U+00E9"),
    ],
)
def test_a_wrong_place_in_the_ini_file_is_one_sentence(run: Run, line: str, said: str) -> None:
    (run.folder / "pytest.ini").write_text(f"[pytest]\n{line}\n", encoding="utf-8")
    run.write("def test_it(identity_emulator): pass")

    assert f"identity-emulator: {said}" in run()


def test_under_xdist_each_worker_needs_a_port_of_its_own(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_port = 3000\n")
    run.write("def test_it(identity_emulator): pass")

    outcome = run("-p", "xdist", "-n", "2")

    assert outcome.status == 4
    assert "identity_emulator_port needs {worker} in it under xdist" in outcome


def test_the_environment_is_patched_until_the_test_ends(run: Run) -> None:
    run.write("""
        import os

        def test_patched(identity_emulator, identity_emulator_server, monkeypatch):
            identity_emulator.patch_env(monkeypatch)
            assert {name: os.environ[name] for name in identity_emulator.env()} == identity_emulator.env()
            identity_emulator_server.patch_env(monkeypatch)
            assert os.environ["SPACETIMEDB_URI"] == identity_emulator.url

        def test_not_any_more(): assert "SPACETIMEDB_URI" not in os.environ
    """)

    outcome = run()

    assert "2 passed" in outcome.summary, outcome
