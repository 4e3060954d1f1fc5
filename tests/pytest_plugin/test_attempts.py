"""What came in while a test ran is the test's, however the URL got there; nothing is remembered beyond an attempt."""

import html
import re

import pytest

from tests.pytest_plugin.inner import Run

RERUNNERS = {
    "rerunfailures": ("-p", "pytest_rerunfailures", "--reruns", "2"),
    "retry": ("-p", "pytest_retry.retry_plugin", "--retries", "2"),
    "flaky": ("-p", "flaky.flaky_pytest_plugin", "--force-flaky", "--max-runs", "3"),
}

WAYS = {
    "identity_emulator": "identity_emulator",
    "identity_emulator_server": "identity_emulator_server",
    "make_identity_emulator": "make_identity_emulator()",
    "own": "own",
}
"""The fixtures by which a test reaches an emulator, and the emulator."""

OWN = """
    import pytest

    @pytest.fixture(scope="session")
    def own(identity_emulator_factory):
        with identity_emulator_factory(seed=7) as emulator:
            yield emulator
"""


def properties(run: Run) -> list[str]:
    """The values in junit XML."""
    text = (run.folder / "out.xml").read_text(encoding="utf-8")
    return [html.unescape(value) for value in re.findall(r'<property name="identity_emulator" value="([^"]*)"', text)]


@pytest.mark.parametrize("plugin", RERUNNERS)
def test_a_run_that_passes_on_its_second_attempt_passes_whatever_the_fixture(run: Run, plugin: str) -> None:
    run.write(OWN, "conftest.py")
    for fixture, emulator in WAYS.items():
        run.write(
            f"""
            attempts = []

            def test_it({fixture}):
                emulator = {emulator}
                attempts.append(1)
                if len(attempts) == 1:
                    status(emulator, "/v1/nonsense")
            """,
            f"test_{fixture}.py",
        )

    outcome = run.process(*RERUNNERS[plugin], "--junitxml=out.xml", "-rA")

    assert "4 passed" in outcome.summary, outcome
    assert "failed" not in outcome.summary


@pytest.mark.parametrize("plugin", RERUNNERS)
def test_the_report_of_the_last_attempt_has_its_exchanges_once(run: Run, plugin: str) -> None:
    run.write("""
        attempts = []

        def test_it(identity_emulator):
            attempts.append(1)
            status(identity_emulator, f"/v1/nonsense{len(attempts)}")
    """)

    outcome = run.process(*RERUNNERS[plugin], "--junitxml=out.xml")

    assert "1 failed" in outcome.summary, outcome
    section = outcome.partition("--- identity emulator ---")[2]
    assert "--- identity emulator ---" not in section
    assert "#1 POST /v1/nonsense3 -> 404" in section
    assert "nonsense2 -> 404" not in outcome
    [value] = properties(run)
    assert "POST /v1/nonsense3 -> 404" in value


def test_a_passing_second_attempt_has_no_property(run: Run) -> None:
    run.write("""
        attempts = []

        def test_it(identity_emulator):
            attempts.append(1)
            assert status(identity_emulator, "/v1/identity") == 200
            assert len(attempts) == 2
    """)

    for options in RERUNNERS.values():
        run.process(*options, "--junitxml=out.xml")
        assert properties(run) == []


def test_a_request_through_a_session_wide_app_is_the_tests(run: Run) -> None:
    run.write(OWN, "conftest.py")
    run.write("""
        import pytest

        @pytest.fixture(scope="session")
        def url(identity_emulator_server, own): return identity_emulator_server, own

        @pytest.mark.parametrize("number", range(2))
        def test_unknown(url, number): status(url[number], "/v1/identiy")

        def test_good(url): status(url[0], "/v1/identity"), status(url[1], "/v1/identity")

        def test_fails(url): status(url[0], "/v1/ping", "GET"); status(url[1], "/v1/health", "GET"); assert 0

        @pytest.mark.identity_emulator(strict=False)
        def test_lax(url): status(url[0], "/v1/identiy")
    """)

    outcome = run()

    assert "3 failed, 2 passed" in outcome.summary, outcome
    assert (
        outcome.count(
            "POST /v1/identiy: no such route; did you mean /v1/identity? Else a stub can answer it\nintended?"
        )
        == 2
    )
    assert "GET /v1/ping -> 200" in outcome
    assert "GET /v1/health -> 200" in outcome
    assert "POST /v1/identity -> 200" not in outcome


def test_requests_before_a_reset_are_the_tests_too(run: Run, elsewhere: str) -> None:
    run.write("""
        def test_reset(identity_emulator):
            status(identity_emulator, "/v1/nonsense")
            identity_emulator.reset()
            create(identity_emulator)

        def test_load(identity_emulator):
            status(identity_emulator, "/v1/rubbish")
            identity_emulator.load("two_friends")

        def test_restore(identity_emulator):
            snapshot = identity_emulator.snapshot()
            status(identity_emulator, "/v1/gibberish")
            identity_emulator.restore(snapshot)
    """)

    for options in ([], ["--identity-emulator-url", elsewhere]):
        outcome = run(*options)

        assert "3 failed" in outcome.summary, outcome
        for word in ("nonsense", "rubbish", "gibberish"):
            assert f"POST /v1/{word}: no such route" in outcome
            assert outcome.count(f"why: POST /v1/{word}: no such route") == 1


def test_an_unknown_path_in_a_wider_fixture_fails_the_test_that_it_was_set_up_for(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture(scope="session")
        def app(identity_emulator_server): status(identity_emulator_server, "/v1/helth", "GET")

        def test_one(app): pass
        def test_two(app): pass
    """)

    outcome = run()

    assert "1 failed, 1 passed" in outcome.summary, outcome
    assert "GET /v1/helth: no such route; did you mean /v1/health?" in outcome


def test_a_test_that_has_nothing_to_do_with_it_has_no_section(run: Run) -> None:
    run.write("""
        def test_first(identity_emulator): create(identity_emulator)
        def test_other(): assert 0
    """)

    outcome = run()

    assert "1 failed, 1 passed" in outcome.summary
    assert "--- identity emulator ---" not in outcome


TEARDOWN = """
    import pytest

    @pytest.fixture
    def late(identity_emulator):
        yield identity_emulator
        status(identity_emulator, "/v1/late")
        {}
"""


def test_requests_of_teardown_are_named_in_the_report_of_a_failed_test(run: Run) -> None:
    run.write(TEARDOWN.format("pass"), "conftest.py")
    run.write("""
        import builtins
        builtins.status = status

        def test_it(late): create(late); assert 0
    """)

    for options in ([], ["-p", "xdist", "-n", "1"]):
        outcome = run(*options)

        assert "1 failed" in outcome.summary, outcome
        section, _, teardown = outcome.partition("--- identity emulator, in teardown ---")
        assert "POST /v1/identity -> 200" in section
        assert "POST /v1/late" not in section
        assert "POST /v1/late -> 404" in teardown


def test_requests_of_a_teardown_that_fails_are_named_in_its_report(run: Run) -> None:
    run.write(TEARDOWN.format("assert 0"), "conftest.py")
    run.write("""
        import builtins
        builtins.status = status

        def test_it(late): create(late)
    """)

    outcome = run()

    assert "1 passed, 1 error" in outcome.summary, outcome
    section, _, teardown = outcome.partition("--- identity emulator, in teardown ---")
    assert "POST /v1/identity -> 200" in section
    assert "POST /v1/late -> 404" in teardown


def test_an_unknown_path_in_the_teardown_of_a_test_that_passed_is_named_at_the_end(run: Run) -> None:
    run.write(TEARDOWN.format("pass"), "conftest.py")
    run.write("""
        import builtins, pytest
        builtins.status = status

        def test_it(late): create(late)

        @pytest.mark.identity_emulator(strict_ignore=["/v1/late"])
        def test_ignored(late): create(late)
    """)

    for options in ([], ["-p", "xdist", "-n", "1"]):
        outcome = run(*options)

        assert "2 passed" in outcome.summary, outcome
        assert "test_it.py::test_it: POST /v1/late: no such route" in outcome
        assert "test_it.py::test_ignored: " not in outcome


def test_the_emulators_of_ended_tests_are_let_go(run: Run) -> None:
    run.write("""
        import gc, pytest, weakref
        made = []

        @pytest.mark.parametrize("number", range(10))
        def test_it(make_identity_emulator, identity_emulator_factory, number):
            emulator = make_identity_emulator()
            made.append(weakref.ref(emulator))
            create(emulator)
            with identity_emulator_factory() as other:
                made.append(weakref.ref(other))
            assert number % 2

        def test_end(identity_emulator):
            gc.collect()
            assert [ref for ref in made if ref()] == []
    """)

    outcome = run("-p", "no:randomly")

    # pytest keeps the traceback of the last failure, and with it the locals of that test.
    assert "5 failed, 6 passed" in outcome.summary, outcome
