"""The plugin in pytest runs of its own, as users have them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from emulator import running_in_thread
from emulator.pytest_settings import KEYWORDS

pytest_plugins = ["pytester"]

CREATE = """
    import urllib.request

    def create(emulator, path="/v1/identity"):
        request = urllib.request.Request(emulator.url + path, method="POST")
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()

    def status(emulator, path, method="POST"):
        import urllib.error
        try:
            return urllib.request.urlopen(urllib.request.Request(emulator.url + path, method=method)).status
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code
"""


class Run:
    """A folder of tests, and pytest in a process of its own there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str, name: str = "test_it.py") -> None:
        head = dedent(CREATE) if name.startswith("test_") else ""
        (self.folder / name).write_text(head + dedent(text), encoding="utf-8")

    def __call__(self, *options: str, autoload: bool = False, **environment: str) -> "Outcome":
        chosen = {} if autoload else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        plugin = [] if autoload else ["-p", "conftest_plugin"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, "-W", "error", "-p", "no:cacheprovider", *options],
            cwd=self.folder,
            env={**kept, **chosen, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout + done.stderr)


class Outcome(str):
    """What pytest printed."""

    status: int

    def __new__(cls, status: int, output: str) -> "Outcome":
        outcome = super().__new__(cls, output)
        outcome.status = status
        return outcome

    @property
    def summary(self) -> str:
        return self.strip().splitlines()[-1]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return Run(tmp_path)


# --- the fixtures -----------------------------------------------------------------------------------------------------


def test_each_test_gets_a_world_of_its_own_from_one_server(run: Run) -> None:
    run.write("""
        urls, first = set(), []

        def test_one(identity_emulator):
            urls.add(identity_emulator.url)
            first.append(create(identity_emulator)[1][:80])
            assert len(identity_emulator.journal) == 1

        def test_two(identity_emulator):
            urls.add(identity_emulator.url)
            assert len(identity_emulator.journal) == 0
            first.append(create(identity_emulator)[1][:80])
            assert first[0] == first[1]
            assert len(urls) == 1
    """)

    assert "2 passed" in run().summary


def test_the_config_fixture_and_the_marker_make_the_world(run: Run) -> None:
    run.write("""
        import pytest
        from emulator import Config

        @pytest.fixture(scope="session")
        def identity_emulator_config():
            return Config(seed=5, spacetime_profile="v1")

        def health(emulator):
            import json
            return json.load(urllib.request.urlopen(emulator.url + "/_emulator/health"))

        def test_config(identity_emulator):
            assert health(identity_emulator)["seed"] == 5
            assert health(identity_emulator)["profiles"]["spacetime"] == "v1"

        @pytest.mark.identity_emulator(seed=6, spacetime_profile="v2", freeze_at="2024-02-15T05:47:17Z")
        class TestMarked:
            def test_marker(self, identity_emulator):
                assert health(identity_emulator)["seed"] == 6
                assert identity_emulator.clock.now().isoformat() == "2024-02-15T05:47:17+00:00"

            @pytest.mark.identity_emulator(seed=7)
            def test_the_nearest_marker_wins(self, identity_emulator):
                assert health(identity_emulator)["seed"] == 7
                assert health(identity_emulator)["profiles"]["spacetime"] == "v2"
    """)

    assert "3 passed" in run().summary


def test_the_ini_file_is_below_and_the_command_lines_seed_above_everything(run: Run) -> None:
    (run.folder / "pytest.ini").write_text(
        "[pytest]\nidentity_emulator_seed = 3\nidentity_emulator_spacetime_profile = v2\n"
        "identity_emulator_freeze_at = 2024-02-15T05:47:17Z\n"
    )
    run.write("""
        import json, os, pytest

        @pytest.mark.identity_emulator(seed=int(os.environ.get("MARKED", "3")))
        def test_it(identity_emulator):
            found = json.load(urllib.request.urlopen(identity_emulator.url + "/_emulator/health"))
            assert found["seed"] == int(os.environ["EXPECTED"])
            assert found["profiles"]["spacetime"] == "v2"
            assert identity_emulator.clock.frozen
    """)

    assert "1 passed" in run(EXPECTED="3").summary
    assert "1 passed" in run("--identity-emulator-seed", "9", EXPECTED="9", MARKED="4").summary


def test_further_servers_are_made_and_stopped(run: Run) -> None:
    run.write("""
        import pytest, urllib.error
        made = []

        def test_make(identity_emulator, make_identity_emulator):
            first, second = make_identity_emulator(seed=1), make_identity_emulator(seed=1)
            made.extend([first, second])
            assert len({identity_emulator.url, first.url, second.url}) == 3
            assert create(first)[1][:80] == create(second)[1][:80]

        def test_gone():
            for emulator in made:
                with pytest.raises(urllib.error.URLError):
                    create(emulator)
    """)

    assert "2 passed" in run().summary


def test_wider_fixtures_get_the_address(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture(scope="session")
        def settings(identity_emulator_server):
            return identity_emulator_server.env()

        def test_it(settings, identity_emulator):
            assert settings["SPACETIMEDB_URI"] == identity_emulator.url
            assert settings["INTUITION_API_URL"].endswith(str(identity_emulator.port))
    """)

    assert "1 passed" in run().summary


def test_a_unittest_class_can_use_it(run: Run) -> None:
    run.write("""
        import pytest, unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def given(self, identity_emulator):
                self.emulator = identity_emulator

            def test_it(self):
                self.assertEqual(create(self.emulator)[0], 200)
    """)

    assert "1 passed" in run().summary


# --- other plugins ----------------------------------------------------------------------------------------------------

AIOHTTP = """
    import pytest

    {mark}
    async def test_aiohttp(identity_emulator):
        import aiohttp
        async with aiohttp.ClientSession() as session, session.post(identity_emulator.url + "/v1/identity") as answer:
            assert answer.status == 200
"""
HTTPX = """
    import pytest

    {mark}
    async def test_httpx(identity_emulator):
        import httpx
        async with httpx.AsyncClient() as client:
            assert (await client.post(identity_emulator.url + "/v1/identity")).status_code == 200
        [exchange] = await identity_emulator.journal.async_wait_for("POST", "/v1/identity")
        assert exchange.status == 200
        with pytest.raises(RuntimeError, match="async_wait_for"):
            identity_emulator.journal.wait_for("POST", "/v1/identity")
"""


@pytest.mark.parametrize(
    ("mark", "options"),
    [
        ("@pytest.mark.asyncio", ["-p", "pytest_asyncio.plugin", "--asyncio-mode=strict"]),
        ("", ["-p", "pytest_asyncio.plugin", "--asyncio-mode=auto"]),
        ("", ["-p", "pytest_asyncio.plugin", "-p", "pytest_aiohttp.plugin", "--asyncio-mode=auto"]),
        ("@pytest.mark.anyio", ["-p", "anyio.pytest_plugin"]),
    ],
    ids=["asyncio strict", "asyncio auto", "aiohttp", "anyio"],
)
def test_it_works_under_every_event_loop_plugin(run: Run, mark: str, options: list[str]) -> None:
    if "anyio" in mark:
        run.write("import pytest\n\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n", "conftest.py")
    run.write(AIOHTTP.format(mark=mark), "test_aiohttp.py")
    run.write(HTTPX.format(mark=mark), "test_httpx.py")

    # pytest-asyncio warns until this is chosen
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"] if "pytest_asyncio.plugin" in options else []
    outcome = run(*options, *scope)

    assert "2 passed" in outcome.summary, outcome


def test_it_works_under_trio(run: Run) -> None:
    run.write("import pytest\n\n@pytest.fixture\ndef anyio_backend(): return 'trio'\n", "conftest.py")
    for mark, plugin in (("anyio", "anyio.pytest_plugin"), ("trio", "pytest_trio.plugin")):
        run.write(HTTPX.format(mark=f"@pytest.mark.{mark}"), f"test_{mark}.py")

        outcome = run("-p", plugin, f"test_{mark}.py")
        assert "1 passed" in outcome.summary, outcome


def test_the_client_fixture_is_an_aiohttp_client_in_the_tests_loop(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(seed=3)
        async def test_client(identity_emulator_client):
            answer = await identity_emulator_client.post("/v1/identity")
            assert answer.status == 200
            identity_emulator_client.emulator.journal.assert_requested("POST", "/v1/identity", times=1)

        async def test_strict(identity_emulator_client):
            await identity_emulator_client.get("/v1/nonsense")

        def test_both(identity_emulator, identity_emulator_client):
            pass
    """)
    options = ["-p", "pytest_asyncio.plugin", "-p", "pytest_aiohttp.plugin", "--asyncio-mode=auto"]

    outcome = run(*options, "-o", "asyncio_default_fixture_loop_scope=function")

    assert "1 failed, 1 passed, 1 error" in outcome.summary, outcome
    assert "GET /v1/nonsense: no such route" in outcome
    assert "not both: they are two emulators" in outcome


def test_without_pytest_aiohttp_the_client_fixture_says_what_to_install(run: Run) -> None:
    run.write("def test_it(identity_emulator_client): pass")

    assert "pip install 'identity-emulator[pytest-aiohttp]'" in run()


def test_synchronous_clients_work(run: Run) -> None:
    run.write("""
        import httpx, pytest, requests

        @pytest.mark.parametrize("client", [requests, httpx])
        def test_it(identity_emulator, client):
            assert client.post(identity_emulator.url + "/v1/identity").status_code == 200
    """)

    assert "2 passed" in run().summary


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

    outcome = run(
        "-n", "4", "--import-mode=importlib", "-o", "asyncio_default_fixture_loop_scope=function", autoload=True
    )

    assert "1 failed, 12 passed" in outcome.summary, outcome
    assert "identity emulator" in outcome
    assert "why: no `Authorization` header and no usable `?token=`" in outcome


@pytest.mark.parametrize("library", ["freezegun", "time-machine"])
def test_its_clock_follows_frozen_wall_time_and_its_timers_do_not(run: Run, library: str) -> None:
    freeze = {
        "freezegun": "freezegun.freeze_time('2024-02-15T05:47:17Z')",
        "time-machine": "time_machine.travel('2024-02-15T05:47:17Z', tick=False)",
    }[library]
    run.write(f"""
        import {library.replace("-", "_")} as library, json
        from base64 import urlsafe_b64decode

        @library.{freeze.partition(".")[2]}
        def test_frozen(identity_emulator):
            payload = json.loads(create(identity_emulator)[1])["token"].split(".")[1]
            assert json.loads(urlsafe_b64decode(payload + "=="))["iat"] == 1707976037
            identity_emulator.journal.wait_for("POST", "/v1/identity", timeout=2)
            identity_emulator.clock.advance(3600)
            assert identity_emulator.clock.now().isoformat() == "2024-02-15T06:47:17+00:00"

        def test_after(identity_emulator):
            assert identity_emulator.clock.now().year > 2024
    """)

    outcome = run()
    assert "2 passed" in outcome.summary, outcome


# --- what a failed test shows -----------------------------------------------------------------------------------------

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
    assert "why: expired 72 s ago by the emulator's clock, the 60 s leeway used up" in outcome
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
            from emulator.report import curl
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


def test_many_exchanges_are_cut_to_the_last(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator):
            for _ in range(30):
                create(identity_emulator)
            assert False
    """)

    outcome = run()

    assert "… 10 earlier" in outcome
    assert "#30 POST" in outcome
    assert "#10 POST" not in outcome


# --- strict -----------------------------------------------------------------------------------------------------------


def test_an_unknown_path_fails_the_test_and_names_the_nearest_route(run: Run) -> None:
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/identity/websocket_token')")

    outcome = run()

    assert "1 failed" in outcome.summary
    assert (
        "POST /v1/identity/websocket_token: no such route; did you mean /v1/identity/websocket-token?\n"
        "meant? @pytest.mark.identity_emulator(strict=False)" in outcome
    )


def test_a_route_only_the_real_service_has_is_called_so(run: Run) -> None:
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/database/chat', 'GET')")

    assert "the real server has this route, the emulator has only its identity API" in run()


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
        def test_ignored(identity_emulator): status(identity_emulator, "/v1/database/chat/schema", "GET")
    """)

    assert "2 passed" in run().summary


@pytest.mark.parametrize(
    "line", ["identity_emulator_strict = false", "identity_emulator_strict_ignore =\n  /v1/database/**"]
)
def test_the_ini_file_relaxes_it(run: Run, line: str) -> None:
    (run.folder / "pytest.ini").write_text(f"[pytest]\n{line}\n")
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/database/chat', 'GET')")

    assert "1 passed" in run().summary


def test_a_wrong_method_is_no_unknown_path(run: Run) -> None:
    run.write("def test_it(identity_emulator): assert status(identity_emulator, '/v1/identity', 'GET') == 405")

    assert "1 passed" in run().summary


# --- isolation --------------------------------------------------------------------------------------------------------


def test_a_request_the_test_left_behind_is_hung_up_and_not_seen_by_the_next(run: Run) -> None:
    run.write("""
        import socket, time
        held = []

        def test_leaves(identity_emulator):
            connection = socket.create_connection(("127.0.0.1", identity_emulator.port))
            connection.sendall(
                b"POST /identity HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: 9\\r\\n"
                b"x-api-key: 00000000-0000-4000-8000-000000000001\\r\\n\\r\\n{"
            )
            held.append(connection)
            while not identity_emulator.journal.total:
                time.sleep(0.001)

        def test_next(identity_emulator):
            held[0].settimeout(2)
            assert held[0].recv(100) == b""
            held[0].close()
            assert len(identity_emulator.journal) == 0
    """)

    outcome = run()
    assert "2 passed" in outcome.summary, outcome


def test_a_request_under_way_at_a_reset_ends_in_its_old_world(run: Run) -> None:
    run.write("""
        import socket, time

        def test_it(identity_emulator):
            old = identity_emulator.journal
            with socket.create_connection(("127.0.0.1", identity_emulator.port)) as connection:
                connection.sendall(
                    b"POST /identity HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
                    b"x-api-key: 00000000-0000-4000-8000-000000000001\\r\\nContent-Length: 38\\r\\n\\r\\n{"
                )
                while not old.total:
                    time.sleep(0.001)
                identity_emulator.reset()
                connection.sendall(b'"display_name":"JP","creator":"0x81"}')
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
            [exchange] = old
            assert exchange.outlived
            assert len(identity_emulator.journal) == 0
    """)

    outcome = run()
    assert "1 passed" in outcome.summary, outcome


# --- what goes wrong says what to do ----------------------------------------------------------------------------------


MISTAKES = {
    "sead=1": "@pytest.mark.identity_emulator has no keyword 'sead'; did you mean 'seed'?",
    "x_y_z=1": "has no keyword 'x_y_z'; there is scenario, seed,",
    "'v2'": "takes keywords only: scenario, seed,",
    "scenario='two_freinds'": "there is no scenario 'two_freinds'",
    "spacetime_profile='v3'": "there is no spacetime profile 'v3'; there is documented, v1, v2",
    "freeze_at='yesterday'": "freeze_at: Invalid isoformat string: 'yesterday'; write it like",
    "seed='7'": "seed is '7'; it must be of type int",
    "strict='no'": "strict is 'no'; it is True or False",
    "strict_ignore='/v1/nope'": "strict_ignore is '/v1/nope'; it is a list of paths",
}


def test_a_marker_with_a_mistake_is_one_sentence_without_traceback(run: Run) -> None:
    tests = [
        f"@pytest.mark.identity_emulator({mistake})\ndef test_{number}(identity_emulator): pass\n"
        for number, mistake in enumerate(MISTAKES)
    ]
    (run.folder / "test_it.py").write_text("import pytest\n\n" + "\n".join(tests))

    outcome = run()

    assert f"{len(MISTAKES)} errors" in outcome.summary
    for message in MISTAKES.values():
        assert re.search(rf"^identity-emulator: .*{re.escape(message)}", outcome, re.MULTILINE), message
    assert "conftest_plugin.py:" not in outcome


def test_a_config_fixture_that_returns_something_else_is_told(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture(scope="session")
        def identity_emulator_config(): return {"seed": 7}

        def test_it(identity_emulator): pass
    """)

    assert "identity_emulator_config returned {'seed': 7}; return an emulator.Config" in run()


def test_the_list_of_markers_names_every_keyword(run: Run) -> None:
    listed = run("--markers")

    assert all(f"{keyword}=…" in listed for keyword in KEYWORDS)


def test_a_factory_keyword_with_a_mistake_is_named(run: Run) -> None:
    run.write("def test_it(make_identity_emulator): make_identity_emulator(sede=1)")

    assert "make_identity_emulator has no keyword 'sede'; did you mean 'seed'?" in run()


def test_a_refused_bind_is_one_sentence(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture(autouse=True, scope="session")
        def no_sockets():
            import emulator.server, socket
            with pytest.MonkeyPatch.context() as patch:
                def refuse(self, address): raise PermissionError(13, "Permission denied")
                patch.setattr(socket.socket, "bind", refuse)
                yield

        def test_it(identity_emulator): pass
    """)

    outcome = run()

    assert "identity-emulator: can't listen on 127.0.0.1:0: Permission denied" in outcome
    assert "conftest_plugin.py:" not in outcome


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


# --- an emulator elsewhere --------------------------------------------------------------------------------------------


@contextmanager
def elsewhere() -> Iterator[str]:
    with running_in_thread(seed=4) as emulator:
        yield emulator.url


def test_the_same_tests_run_against_an_emulator_elsewhere(run: Run) -> None:
    run.write("""
        import pytest

        def test_one(identity_emulator, identity_emulator_server):
            assert identity_emulator.url == identity_emulator_server.url
            create(identity_emulator)
            identity_emulator.journal.assert_requested("POST", "/v1/identity", times=1)
            identity_emulator.journal.wait_for("POST", "/v1/identity")
            identity_emulator.reset()
            assert len(identity_emulator.journal) == 0

        @pytest.mark.identity_emulator(seed=8)
        def test_two(identity_emulator):
            assert len(identity_emulator.journal) == 0

        def test_strict(identity_emulator):
            status(identity_emulator, "/v1/nonsense")

        def test_out_of_reach(identity_emulator):
            identity_emulator.spacetime.add_database("c2")

        @pytest.mark.identity_emulator(freeze_at="2024-02-15T05:47:17Z")
        def test_steered(identity_emulator):
            import datetime
            clock = identity_emulator.clock
            token = identity_emulator.spacetime.issue_token(subject="alice", role="admin")
            assert clock.frozen
            clock.advance(datetime.timedelta(seconds=1))
            assert clock.now().isoformat() == "2024-02-15T05:47:18+00:00"
            clock.freeze("2024-02-15T05:47:17Z")
            clock.resume()
            clock.skew(5)
            assert not clock.frozen
            assert identity_emulator.spacetime.sign({"sub": 5}).count(".") == token.count(".") == 2
            identity_emulator.spacetime.rotate_key()
            key = identity_emulator.intuition.issue_api_key("0x81")
            identity_emulator.intuition.revoke_api_key(key)
            with pytest.raises(Exception, match="says 404: there is no such key"):
                identity_emulator.intuition.revoke_api_key(key)

        def test_ordered(identity_emulator):
            fault = identity_emulator.faults.add("POST /v1/identity", nth=1, status=503)
            assert len(identity_emulator.faults) == 1
            assert status(identity_emulator, "/v1/identity") == 503
            assert (fault.fired, fault.seen, fault.status, fault.done) == (1, 1, "done", True)
            identity_emulator.faults.assert_done()
            assert [each.number for each in identity_emulator.faults] == [1]
            fault.remove()
            assert fault.status == "removed"
            identity_emulator.faults.clear()
            identity_emulator.intuition.lifecycle()
            assert dict(identity_emulator.actors) == {}

        def test_put_aside(identity_emulator):
            snapshot = identity_emulator.snapshot()
            identity_emulator.spacetime.rotate_key()
            identity_emulator.restore(snapshot)
            assert identity_emulator.snapshot() == snapshot

        @pytest.mark.identity_emulator(spacetime_profile="v2")
        def test_profile(identity_emulator): pass
    """)
    with elsewhere() as url:
        outcome = run("--identity-emulator-url", url)

    assert "2 failed, 5 passed, 1 error" in outcome.summary, outcome
    assert "GET /v1/nonsense" in outcome or "POST /v1/nonsense: no such route" in outcome
    assert "emulator.spacetime.add_database needs the emulator in this process" in outcome
    assert "wants spacetime_profile=v2" in outcome
    assert "start it with --spacetime-profile v2" in outcome


def test_where_no_emulator_answers_it_says_how_to_start_one(run: Run) -> None:
    run.write("def test_it(identity_emulator): pass")

    outcome = run("--identity-emulator-url", "http://127.0.0.1:9")

    assert "no emulator answers at http://127.0.0.1:9" in outcome
    assert "start one with `identity-emulator serve`" in outcome


def test_under_xdist_each_worker_needs_an_emulator_of_its_own(run: Run) -> None:
    run.write("def test_it(identity_emulator): pass")

    outcome = run("-p", "xdist", "-n", "2", "--identity-emulator-url", "http://127.0.0.1:3000")

    assert outcome.status == 4
    assert "needs {worker} in it under xdist" in outcome


def test_the_worker_in_the_url_is_its_number(run: Run) -> None:
    run.write("def test_it(identity_emulator): assert create(identity_emulator)[0] == 200")
    with elsewhere() as url:
        outcome = run("-p", "xdist", "-n", "1", "--identity-emulator-url", f"{url[:-1]}{{worker}}{url[-1]}")

    assert "no emulator answers" in outcome or outcome.status == 0


# --- scenarios --------------------------------------------------------------------------------------------------------

SCENARIO = """
version: 1
seed: 7
spacetime: {identities: {alice: }}
script:
  - {request: "GET /v1/ping", nth: 1, do: {status: 503}}
"""

STATUSES = """
    import pytest

    def names(emulator):
        return list(emulator.actors)
"""


def test_a_scenario_is_looked_for_beside_the_test_and_then_at_the_root(run: Run) -> None:
    (run.folder / "sub").mkdir()
    (run.folder / "sub" / "near.yaml").write_text(SCENARIO)
    (run.folder / "far.yaml").write_text(SCENARIO.replace("alice", "bob"))
    run.write("", "sub/__init__.py")
    run.write(
        f"""{STATUSES}
    @pytest.mark.identity_emulator(scenario="near.yaml")
    def test_near(identity_emulator):
        assert names(identity_emulator) == ["alice"]
        assert status(identity_emulator, "/v1/ping", "GET") == 503
        identity_emulator.faults.assert_done()

    @pytest.mark.identity_emulator(scenario="far.yaml")
    def test_far(identity_emulator):
        assert names(identity_emulator) == ["bob"]
        identity_emulator.load("near.yaml")
        identity_emulator.reset()
        assert names(identity_emulator) == ["alice"]

    @pytest.mark.identity_emulator(scenario=["far.yaml", "near.yaml", "rate_limited"], seed=9)
    def test_layers(identity_emulator, make_identity_emulator):
        assert names(identity_emulator) == ["bob", "alice", "ci", "web"]
        assert names(make_identity_emulator(scenario="near.yaml")) == ["alice"]

    @pytest.mark.identity_emulator(scenario={{"version": 1, "spacetime": {{"identities": {{"eve": None}}}}}})
    def test_document(identity_emulator):
        assert names(identity_emulator) == ["eve"]

    def test_nobody(identity_emulator):
        identity_emulator.reset()
        assert names(identity_emulator) == []
    """,
        "sub/test_it.py",
    )
    (run.folder / "sub" / "test_it.py").write_text(
        dedent(CREATE) + (run.folder / "sub" / "test_it.py").read_text(), encoding="utf-8"
    )

    assert "5 passed" in run().summary


def test_a_plain_reset_goes_back_to_this_tests_scenario(run: Run) -> None:
    run.write(f"""{STATUSES}
    @pytest.mark.identity_emulator(scenario="two_friends")
    def test_it(identity_emulator):
        identity_emulator.reset()
        assert names(identity_emulator) == ["alice", "bob"]

    @pytest.mark.identity_emulator(scenario="quickstart")
    def test_another(identity_emulator):
        identity_emulator.reset()
        assert names(identity_emulator) == ["alice"]
    """)

    assert "2 passed" in run().summary


def test_the_config_and_the_ini_file_name_scenarios_for_all_tests(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_scenario = two_friends far.yaml\n")
    (run.folder / "far.yaml").write_text(SCENARIO.replace("alice", "zoe"))
    run.write(f"""{STATUSES}
    def test_ini(identity_emulator, identity_emulator_server):
        assert names(identity_emulator) == ["alice", "bob", "zoe"]
        assert identity_emulator_server.env() == identity_emulator.env()
    """)
    (run.folder / "sub").mkdir()
    run.write(
        """
        import pytest
        from emulator import Config

        @pytest.fixture(scope="session")
        def identity_emulator_config():
            return Config(scenario="rate_limited")
        """,
        "sub/conftest.py",
    )
    (run.folder / "sub" / "test_config.py").write_text(
        "def test_config(identity_emulator):\n    assert list(identity_emulator.actors) == ['ci', 'web']\n"
    )

    assert "2 passed" in run().summary


def test_a_client_in_the_tests_own_loop_has_the_scenario_too(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="two_friends")
        async def test_it(identity_emulator_client):
            alice = identity_emulator_client.emulator.actors["alice"]
            headers = {"Authorization": f"Bearer {alice.token}"}
            answer = await identity_emulator_client.get(f"/v1/identity/{alice.identity}/verify", headers=headers)
            assert answer.status == 204
    """)

    outcome = run("-p", "pytest_asyncio.plugin", "-p", "pytest_aiohttp.plugin", "--asyncio-mode=auto", *SCOPE)

    assert "1 passed" in outcome.summary, outcome


SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")


def test_all_mistakes_of_a_scenario_are_one_failure_without_traceback(run: Run) -> None:
    (run.folder / "bad.yaml").write_text("version: 1\nsead: 7\nclock: {freeze: noon}\n")
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="bad.yaml")
        def test_it(identity_emulator): pass

        def test_load(identity_emulator):
            with pytest.raises(Exception, match="did you mean .seed."):
                identity_emulator.load("bad.yaml")
    """)

    outcome = run()

    assert "1 passed, 1 error" in outcome.summary
    assert f'identity-emulator: {run.folder / "bad.yaml"}:2:1 sead: unknown key, did you mean "seed"?' in outcome
    assert "bad.yaml:3:9 clock.freeze: Invalid isoformat string" in outcome
    assert "conftest_plugin.py:" not in outcome


def test_with_a_url_scenarios_go_there(run: Run) -> None:
    (run.folder / "it.yaml").write_text(SCENARIO + "extends: below.yaml\n")
    (run.folder / "below.yaml").write_text("version: 1\nspacetime: {identities: {bob: }}\n")
    run.write(f"""{STATUSES}
    @pytest.mark.identity_emulator(scenario="two_friends")
    def test_a_name(identity_emulator):
        alice = identity_emulator.actors["alice"]
        assert names(identity_emulator) == ["alice", "bob"] and len(identity_emulator.actors) == 2
        assert alice.token.count(".") == 2 and alice.wallet.startswith("0x")
        assert identity_emulator.env()["INTUITION_API_KEY"] == alice.api_key
        assert identity_emulator.actors_env()["ALICE_TOKEN"] == alice.token
        with pytest.raises(KeyError, match="no actor 'eve'; the scenario names alice, bob"):
            identity_emulator.actors["eve"]
        with pytest.raises(AttributeError, match="alice has no email"):
            alice.email

    @pytest.mark.identity_emulator(scenario="it.yaml")
    def test_a_file(identity_emulator, identity_emulator_server):
        assert names(identity_emulator) == ["bob", "alice"]
        assert status(identity_emulator, "/v1/ping", "GET") == 503
        assert identity_emulator_server.env()["INTUITION_API_KEY"].endswith("0001")

    def test_load(identity_emulator):
        assert names(identity_emulator) == []
        identity_emulator.load("it.yaml")
        identity_emulator.reset()
        assert names(identity_emulator) == ["bob", "alice"]
        identity_emulator.load({{"version": 1}})

    def test_nothing_is_left(identity_emulator):
        assert names(identity_emulator) == []
        identity_emulator.reset()
        assert names(identity_emulator) == []

    @pytest.mark.identity_emulator(scenario="it.py")
    def test_python(identity_emulator): pass
    """)
    (run.folder / "it.py").write_text("def scenario(emulator): pass\n")
    with elsewhere() as url:
        outcome = run("--identity-emulator-url", url)

    assert "4 passed, 1 error" in outcome.summary, outcome
    assert "a Python scenario runs in the emulator's own process only" in outcome


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_run_that_does_not_use_it_loads_nothing(run: Run) -> None:
    run.write("""
        import sys

        def test_it():
            loaded = {name.partition(".")[0] for name in sys.modules}
            unwanted = {"emulator", "aiohttp", "cryptography", "msgspec", "blake3", "click", "asyncio", "ruamel"}
            assert not loaded & unwanted
    """)

    assert "1 passed" in run().summary
