"""Beside other plugins and libraries; docs/neighbours.md shows how they are used together."""

import pytest

from tests.pytest_plugin.inner import Run

FAKE = ("-p", "pyfakefs.pytest_plugin")


def test_bundled_scenarios_are_found_under_a_fake_file_system(run: Run) -> None:
    run.write("""
        import pytest, os

        @pytest.mark.identity_emulator(scenario="two_friends")
        def test_marker(fs, identity_emulator):
            assert names(identity_emulator) == ["alice", "bob"]

        def test_load(fs, identity_emulator):
            identity_emulator.load("two_friends")
            assert names(identity_emulator) == ["alice", "bob"]
            assert not os.path.exists("/usr"), "the fake file system is on again"

        def test_further(fs, make_identity_emulator):
            assert names(make_identity_emulator(scenario=["two_friends", "quickstart"])) == ["alice", "bob"]

        def test_paused(fs, identity_emulator):
            fs.pause()
            identity_emulator.load("rate_limited")
            assert os.path.exists("/usr")
            fs.resume()

        def test_unknown(fs, identity_emulator):
            with pytest.raises(Exception, match="there is no scenario 'two_freinds'; did you mean 'two_friends'"):
                identity_emulator.load("two_freinds")
    """)

    outcome = run.process(*FAKE)

    assert "5 passed" in outcome.summary, outcome


@pytest.mark.parametrize("name", ["marker", "load", "further"])
def test_under_a_fake_file_system_the_first_use_finds_them_too(run: Run, name: str) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="quickstart")
        def test_marker(fs, identity_emulator): assert names(identity_emulator)

        def test_load(fs, identity_emulator): identity_emulator.load("quickstart")

        def test_further(fs, make_identity_emulator): make_identity_emulator(scenario="quickstart")
    """)

    outcome = run.process(*FAKE, "-k", name)

    assert "1 passed" in outcome.summary, outcome


def test_a_users_file_that_a_fake_file_system_hides_is_explained(run: Run) -> None:
    (run.folder / "near.yaml").write_text("version: 1\n")
    run.write("""
        def test_it(fs, identity_emulator): identity_emulator.load("near.yaml")
    """)

    assert "pyfakefs's file system is on: load it before, or fs.add_real_file(…)" in run.process(*FAKE)


@pytest.mark.parametrize("way", ["identity_emulator", "make_identity_emulator"])
def test_where_nothing_was_requested_and_a_proxy_is_set_the_report_says_so(run: Run, way: str) -> None:
    run.write(f"""
        def test_it({way}):
            {way if way == "identity_emulator" else "make_identity_emulator()"}
            assert 0
    """)

    outcome = run(HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="", no_proxy="")

    assert "nothing was requested" in outcome
    assert "HTTP_PROXY is set, and NO_PROXY does not name 127.0.0.1" in outcome
    assert "NO_PROXY does not" not in run(HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1", no_proxy="")


def test_in_the_environment_of_the_test_a_client_reaches_it_past_the_proxy(run: Run) -> None:
    run.write("""
        import requests

        def test_it(identity_emulator, monkeypatch):
            identity_emulator.patch_env(monkeypatch)
            assert requests.post(identity_emulator.url + "/v1/identity").status_code == 200
    """)

    outcome = run(HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="a.example", no_proxy="")

    assert "1 passed" in outcome.summary, outcome


def test_wait_for_works_where_a_loop_runs_without_a_task(run: Run) -> None:
    """As under Playwright's synchronous API, whose loop stays in the thread and counts as running."""
    run.write("""
        import asyncio, pytest, threading

        def test_a_callback(identity_emulator):
            loop, found = asyncio.new_event_loop(), []

            def in_the_loop():
                threading.Thread(target=create, args=[identity_emulator]).start()
                try:
                    assert asyncio.get_running_loop() is loop
                    found.extend(identity_emulator.journal.wait_for("POST", "/v1/identity"))
                finally:
                    loop.stop()

            loop.call_soon(in_the_loop)
            loop.run_forever()
            loop.close()
            assert len(found) == 1

        def test_a_task(identity_emulator):
            async def main():
                with pytest.raises(RuntimeError, match="async_wait_for"):
                    identity_emulator.journal.wait_for("POST", "/v1/identity")
            asyncio.run(main())
    """)

    outcome = run()

    assert "2 passed" in outcome.summary, outcome
