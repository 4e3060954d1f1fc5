"""Under pytest-xdist."""

from tests.pytest_plugin.inner import LOOP_SCOPE, Run


def test_it_works_under_xdist_randomly_and_importlib_with_autoload(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_it(identity_emulator, number):
            create(identity_emulator)
            assert len(identity_emulator.journal) == 1

        def test_bad(identity_emulator):
            assert status(identity_emulator, "/v1/identity/websocket-token") == 200
    """)

    outcome = run("-n", "4", "--import-mode=importlib", *LOOP_SCOPE, autoload=True)

    assert "1 failed, 12 passed" in outcome.summary, outcome
    assert "identity emulator" in outcome
    assert "why: no `Authorization` header and no usable `?token=`" in outcome


def test_under_xdist_each_worker_needs_an_emulator_of_its_own(run: Run) -> None:
    run.write("def test_it(identity_emulator): pass")

    outcome = run("-p", "xdist", "-n", "2", "--identity-emulator-url", "http://127.0.0.1:3000")

    assert outcome.status == 4
    assert "needs {worker} in it under xdist" in outcome


def test_the_worker_in_the_url_is_its_number(run: Run, elsewhere: str) -> None:
    run.write("def test_it(identity_emulator): assert create(identity_emulator)[0] == 200")

    outcome = run("-p", "xdist", "-n", "1", "--identity-emulator-url", elsewhere.replace("127.0.", "127.{worker}."))

    assert "1 passed" in outcome.summary, outcome
