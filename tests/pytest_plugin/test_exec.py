"""Under `identity-emulator exec -- pytest`: which emulator a run uses, and its header line."""

import sys

from tests.cli.command import execute
from tests.pytest_plugin.inner import Run, only

INNER = ("-p", "no:cacheprovider", *only("xdist"))


def under_exec(run: Run, *options: str) -> str:
    """What `identity-emulator exec -- pytest` prints."""
    command = [sys.executable, "-m", "pytest", *INNER, f"--rootdir={run.folder}", *options, str(run.folder)]
    return execute("--seed", "5", "--", *command).stdout


SEED = """
    import json, os, urllib.request

    def seed(url): return json.load(urllib.request.urlopen(url + "/_emulator/health"))["seed"]
"""


def test_the_emulator_that_exec_started_is_used(run: Run) -> None:
    run.write(SEED, "seeds.py")
    run.write("""
        from seeds import *

        def test_it(identity_emulator):
            assert identity_emulator.url == os.environ["IDENTITY_EMULATOR_URL"]
            assert seed(identity_emulator.url) == 5
    """)

    printed = under_exec(run)

    assert "1 passed" in printed, printed
    assert "(from identity-emulator exec)" in printed


def test_under_xdist_each_worker_starts_its_own(run: Run) -> None:
    run.write("""
        import os
        def test_it(identity_emulator): assert identity_emulator.url != os.environ["IDENTITY_EMULATOR_URL"]
    """)

    printed = under_exec(run, "-n", "1")

    assert "1 passed" in printed, printed
    assert "identity-emulator: one for each worker" in printed


def test_a_url_that_merely_lies_in_the_environment_is_not_taken(run: Run, elsewhere: str) -> None:
    run.write(f"def test_it(identity_emulator): assert identity_emulator.url != {elsewhere!r}")

    outcome = run(IDENTITY_EMULATOR_URL=elsewhere)

    assert "1 passed" in outcome.summary, outcome
    assert "identity-emulator: one for this run, started when a test needs it (IDENTITY_EMULATOR_URL is not" in outcome


def test_an_option_is_above_exec(run: Run, elsewhere: str) -> None:
    run.write(f"def test_it(identity_emulator): assert identity_emulator.url == {elsewhere!r}")

    printed = under_exec(run, "--identity-emulator-url", elsewhere)

    assert "1 passed" in printed, printed
    assert f"identity-emulator: {elsewhere} (from --identity-emulator-url)" in printed


def test_the_header_names_the_ini_file_and_no_password(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_url = http://me:s3cret@127.0.0.1:9\n")
    run.write("def test_it(): pass")

    outcome = run()

    assert "identity-emulator: http://127.0.0.1:9 (from the ini file)" in outcome
    assert "s3cret" not in outcome


def test_exec_excludes_the_emulator_from_the_proxy() -> None:
    program = "import os; print(os.environ.get('NO_PROXY'), os.environ.get('no_proxy'))"

    done = execute("--", sys.executable, "-c", program, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="a.example")

    assert "a.example,127.0.0.1 a.example,127.0.0.1" in done.stdout


def test_exec_gives_the_command_the_control_token() -> None:
    program = "import os; print(os.environ['IDENTITY_EMULATOR_CONTROL_TOKEN'])"

    assert execute("--control-token", "s3cret", "--", sys.executable, "-c", program).stdout == "s3cret\n"
