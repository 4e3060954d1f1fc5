"""What a failed test shows of its exchanges."""

from tests.pytest_plugin.inner import Run

FAILING = """
    import json, pytest

    @pytest.mark.identity_emulator(freeze_at="2024-02-15T05:47:17Z")
    def test_it(identity_emulator):
        token = identity_emulator.spacetime.issue_token(subject="alice", expires_in=-72)
        request = urllib.request.Request(
            identity_emulator.url + "/v1/identity/websocket-token?note=[x]",
            data=json.dumps({"a": "it's", "t": token}).encode(),
            headers={"Authorization": "Bearer " + token},
        )
        urllib.request.urlopen(request)
"""


def test_a_failed_test_shows_its_exchanges_with_reason_claims_and_curl(run: Run) -> None:
    run.write(FAILING)

    outcome = run()

    assert "--- identity emulator ---" in outcome
    assert "#1 POST /v1/identity/websocket-token -> 401" in outcome
    assert "why: expiry: expired 72 s ago by the emulator's clock, after the leeway of 60 s" in outcome
    assert "body: Invalid token: ExpiredSignature" in outcome
    assert "token: sub=alice iss=localhost hex_identity=c20035600353a2e9" in outcome
    assert "(expired 72 s ago)" in outcome
    assert "curl -i -X POST --globoff 'http://127.0.0.1:" in outcome


def test_secrets_are_masked_unless_asked_for(run: Run) -> None:
    run.write(FAILING)

    masked, shown = run("--tb=short"), run("--tb=short", "--identity-emulator-show-secrets")

    assert "eyJ0eXAi" not in masked
    assert "-H 'Authorization: Bearer ***'" in masked
    assert "-H 'Authorization: Bearer eyJ0eXAi" in shown


def test_the_curl_of_a_report_repeats_the_request(run: Run) -> None:
    run.write("""
        import json, re, subprocess

        def test_it(identity_emulator):
            from emulator.journal.report import curl
            request = urllib.request.Request(
                identity_emulator.url + "/identity",
                data=json.dumps({"display_name": "it's é \\\\ $HOME", "creator": "0x81"}).encode(),
                headers={"x-api-key": identity_emulator.env()["INTUITION_API_KEY"], "Content-Type": "application/json"},
            )
            urllib.request.urlopen(request)
            [first] = identity_emulator.journal
            command = curl(first, identity_emulator.url, secrets=True)
            subprocess.run(["sh", "-c", command], check=True, capture_output=True)
            second = identity_emulator.journal.exchanges[-1]
            assert (second.status, second.request.kept) == (200, first.request.kept)
    """)

    outcome = run()
    assert "1 passed" in outcome.summary, outcome


def test_nothing_is_added_to_a_passing_test(run: Run) -> None:
    run.write("def test_it(identity_emulator): create(identity_emulator)")

    outcome = run("-rA", "--junitxml=out.xml")

    assert "identity emulator" not in outcome
    assert "identity_emulator" not in (run.folder / "out.xml").read_text()


def test_junit_gets_a_line_of_the_refused_exchanges(run: Run) -> None:
    run.write(FAILING)

    run("--junitxml=out.xml")

    text = (run.folder / "out.xml").read_text()
    assert 'name="identity_emulator"' in text
    assert "expired 72 s ago" in text


def test_a_test_that_fails_in_another_fixture_shows_its_exchanges_too(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture
        def logged_in(identity_emulator):
            assert status(identity_emulator, "/v1/identity/websocket-token") == 200

        def test_it(logged_in): pass
    """)

    assert "#1 POST /v1/identity/websocket-token -> 401" in run()


def test_the_section_begins_with_the_world_and_how_to_get_it_back(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(seed=42, scenario="flaky_intuition", spacetime_profile="v2")
        def test_it(identity_emulator):
            assert False
    """)

    assert "seed=42 v2.14 scenario=flaky_intuition clock=" in (outcome := run())
    assert "--seed 42 --spacetime-profile v2.14 --scenario flaky_intuition" in outcome


def test_the_refused_one_of_hundreds_is_in_the_section_which_is_as_long_as_the_ini_file_says(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            for _ in range(100):
                create(identity_emulator)
            status(identity_emulator, "/identity")
            for number in range(40):
                create(identity_emulator, f"/v1/identity?{number}")
            assert False
    """)
    run.write("[pytest]\nidentity_emulator_report_lines = 30\n", "pytest.ini")

    outcome = run("-q")

    assert "#101 POST /identity -> 401" in outcome
    assert "earlier, for which there is no room" in outcome
    assert "#141 POST" in outcome
    assert "#102 POST" not in outcome


def test_equal_exchanges_are_folded(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            for _ in range(30):
                create(identity_emulator)
            assert False
    """)

    outcome = run()

    assert "30 exchanges, 0 of them refused" in outcome
    assert "#1 POST /v1/identity -> 200" in outcome
    assert "× 30" in outcome
    assert "#30 POST" not in outcome


def test_an_assertion_about_the_journal_shows_what_was_there(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            status(identity_emulator, "/v1/identity", "GET")
            identity_emulator.journal.assert_requested("POST", "/v1/identity", times=1)
    """)

    outcome = run()

    assert "AssertionError: POST /v1/identity was requested never, expected once." in outcome
    assert "#1 GET /v1/identity -> 405  (method is GET)" in outcome
    assert "inquiry.py" not in outcome
