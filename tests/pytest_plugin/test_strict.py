"""A request to a path that neither API has fails its test."""

import pytest

from tests.pytest_plugin.inner import Run


def test_an_unknown_path_fails_the_test_and_names_the_nearest_route(run: Run) -> None:
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/identity/websocket_token')")

    outcome = run()

    assert "1 failed" in outcome.summary
    assert (
        "POST /v1/identity/websocket_token: no such route; did you mean /v1/identity/websocket-token? "
        "Else a stub can answer it\n"
        "intended? @pytest.mark.identity_emulator(strict=False)" in outcome
    )


def test_a_route_only_the_real_service_has_is_called_so(run: Run) -> None:
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/metrics', 'GET')")

    assert "the real server has this route, the emulator has not" in run()


def test_a_route_that_needs_a_module_fails_the_test_and_shows_the_stub(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            identity_emulator.load("quickstart")
            assert status(identity_emulator, "/v1/database/chat/sql") == 501
    """)

    outcome = run()

    assert "1 failed" in outcome.summary
    assert 'not emulated; emulator.stub("POST /v1/database/chat/sql", json=...) answers it' in outcome


def test_a_database_that_is_not_there_is_an_answer_like_any_other(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            assert status(identity_emulator, "/v1/database/chat", "GET") == 404
    """)

    assert "1 passed" in run().summary


def test_strictness_never_hides_another_failure(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            status(identity_emulator, "/v1/nonsense")
            assert "the reason" == "another"
    """)

    outcome = run()

    assert "1 failed" in outcome.summary
    assert "assert 'the reason' == 'another'" in outcome


def test_a_marker_relaxes_it(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(strict=False)
        def test_lax(identity_emulator): status(identity_emulator, "/v1/nonsense", "GET")

        @pytest.mark.identity_emulator(strict_ignore=["/v1/database/**"])
        def test_ignored(identity_emulator):
            identity_emulator.load("quickstart")
            status(identity_emulator, "/v1/database/chat/schema", "GET")
    """)

    assert "2 passed" in run().summary


@pytest.mark.parametrize(
    "line", ["identity_emulator_strict = false", "identity_emulator_strict_ignore =\n  /v1/database/**"]
)
def test_the_ini_file_relaxes_it(run: Run, line: str) -> None:
    (run.folder / "pytest.ini").write_text(f"[pytest]\n{line}\n")
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/database/chat', 'GET')")

    assert "1 passed" in run().summary


def test_what_browsers_ask_for_on_their_own_fails_no_test(run: Run) -> None:
    run.write("def test_it(identity_emulator): assert status(identity_emulator, '/favicon.ico', 'GET') == 404")

    assert "1 passed" in run().summary


def test_a_wrong_method_fails_the_test_as_an_unknown_path_does(run: Run) -> None:
    run.write("def test_it(identity_emulator): assert status(identity_emulator, '/v1/identity', 'GET') == 405")

    outcome = run()

    assert "1 failed" in outcome.summary
    assert "/v1/identity has no GET; it has POST" in outcome


def test_a_preflight_is_no_wrong_method(run: Run) -> None:
    run.write("def test_it(identity_emulator): assert status(identity_emulator, '/v1/identity', 'OPTIONS') == 200")

    assert "1 passed" in run().summary


def test_a_path_that_a_stub_answers_does_not_fail_the_test(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            identity_emulator.stub("POST /claims", json=[], auth="none")
            assert status(identity_emulator, "/claims") == 200
        """)

    assert "1 passed" in run().summary


def test_the_reason_says_that_a_stub_can_answer(run: Run) -> None:
    run.write("def test_it(identity_emulator): [status(identity_emulator, path) for path in ('/claims', '/else')]")

    outcome = run()

    assert "POST /claims: the real service has claims, the emulator has only its identity API; a stub can" in outcome
    assert "POST /else: no such route; a stub can answer it\n" in outcome
