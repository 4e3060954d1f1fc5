"""The session's server and further ones over TLS."""

import subprocess
import sys

import pytest

from tests.cli.command import COMMAND, environment
from tests.limits import LIMIT
from tests.pytest_plugin.inner import Run, only

SECURE = """
    import urllib.request

    def pinged(emulator):
        with urllib.request.urlopen(emulator.url + "/v1/ping", context=emulator.ssl_context()) as answer:
            return emulator.url[:8], answer.status
"""


def test_the_ini_file_has_the_sessions_server_speak_tls(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_tls = true\n")
    run.write(SECURE, "secure.py")
    run.write("""
        from secure import pinged

        def test_it(identity_emulator, identity_emulator_server, make_identity_emulator):
            assert pinged(identity_emulator) == pinged(identity_emulator_server) == ("https://", 200)
            assert identity_emulator_server.env() == identity_emulator.env()
            assert identity_emulator.env()["SSL_CERT_FILE"]
            assert pinged(make_identity_emulator()) == ("https://", 200)
            assert make_identity_emulator(tls=False).url[:7] == "http://"
    """)

    outcome = run()

    assert "1 passed" in outcome.summary, outcome


@pytest.mark.parametrize("make", ["make_identity_emulator(", "stack.enter_context(identity_emulator_factory("])
def test_a_further_server_can_speak_tls_and_listen_on_several_hosts(run: Run, make: str) -> None:
    run.write(SECURE, "secure.py")
    run.write(f"""
        import contextlib
        from secure import pinged

        def test_it(make_identity_emulator, identity_emulator_factory):
            with contextlib.ExitStack() as stack:
                emulator = {make}tls=True, host=("127.0.0.1", "localhost"){")" * make.count("(")}
                assert pinged(emulator) == ("https://", 200)
    """)

    outcome = run()

    assert "1 passed" in outcome.summary, outcome


def test_a_process_that_is_started_with_patch_env_trusts_it(run: Run) -> None:
    run.write("""
        import subprocess, sys

        PROGRAM = "import os, urllib.request as r; print(r.urlopen(os.environ['SPACETIMEDB_URI'] + '/v1/ping').status)"

        def test_it(make_identity_emulator, monkeypatch):
            make_identity_emulator(tls=True).patch_env(monkeypatch)
            assert subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True).stdout == "200\\n"
    """)

    outcome = run()

    assert "1 passed" in outcome.summary, outcome


def test_the_plugin_uses_the_emulator_of_exec_over_tls(run: Run) -> None:
    run.write("def test_it(identity_emulator): assert identity_emulator.url.startswith('https://')")
    done = subprocess.run(
        [
            *COMMAND,
            "exec",
            "--tls",
            "--",
            sys.executable,
            "-m",
            "pytest",
            *only(),
            "-p",
            "no:cacheprovider",
            str(run.folder),
        ],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=run.folder,
        timeout=LIMIT,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout
    assert "identity-emulator: https://127.0.0.1" in done.stdout


@pytest.mark.parametrize("mistake", ["tls='yes'", "tls=()"])
def test_a_wrong_value_is_one_sentence(run: Run, mistake: str) -> None:
    run.write(f"def test_it(make_identity_emulator): make_identity_emulator({mistake})")

    outcome = run()

    assert "it is True, or the files of a certificate and its key" in outcome
    assert "conftest_plugin.py:" not in outcome
