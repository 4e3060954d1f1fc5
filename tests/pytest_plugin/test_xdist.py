"""Under pytest-xdist."""

from emulator.control.remote import RemoteEmulator
from tests.pytest_plugin.inner import Run


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

    outcome = run.process("-n", "4", "--import-mode=importlib", autoload=True)

    assert "1 failed, 12 passed" in outcome.summary, outcome
    assert "identity emulator" in outcome
    assert "why: no `Authorization` header and no usable `?token=`" in outcome


def test_under_xdist_each_worker_has_a_world_of_its_own_at_the_url(run: Run, elsewhere: str) -> None:
    run.write(
        """
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_it(identity_emulator, number):
            create(identity_emulator)
            create(identity_emulator)
            assert len(identity_emulator.journal) == 2
            assert identity_emulator.url != "URL"
    """.replace("URL", elsewhere)
    )

    outcome = run.process("-p", "xdist", "-n", "2", "--identity-emulator-url", elsewhere)

    assert "12 passed" in outcome.summary, outcome
    assert list(RemoteEmulator(elsewhere).worlds) == []


def test_the_world_of_a_worker_has_the_profile_of_the_ini_file(run: Run, elsewhere: str) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_spacetime_profile = v2.14\n", encoding="utf-8")
    run.write("""
        def test_it(identity_emulator):
            assert identity_emulator.reset() is None, "the profile is checked"
            assert b'"version":"2.' in urllib.request.urlopen(identity_emulator.url + "/v1/health").read()
    """)

    outcome = run.process("-p", "xdist", "-n", "1", "--identity-emulator-url", elsewhere)

    assert "1 passed" in outcome.summary, outcome


def test_the_worker_in_the_url_is_its_number(run: Run, elsewhere: str) -> None:
    run.write("def test_it(identity_emulator): assert create(identity_emulator)[0] == 200")

    outcome = run.process(
        "-p", "xdist", "-n", "1", "--identity-emulator-url", elsewhere.replace("127.0.", "127.{worker}.")
    )

    assert "1 passed" in outcome.summary, outcome
