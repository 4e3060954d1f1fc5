"""Every test begins with a new world, also one that reaches it through a session-wide app."""

import pytest

from tests.pytest_plugin.inner import Run

APP = """
    import pytest, urllib.request

    @pytest.fixture(scope="session")
    def app(identity_emulator_server):
        '''The client of an application that runs for the whole session.'''
        return identity_emulator_server

    def state(emulator):
        import json
        return json.load(urllib.request.urlopen(emulator.url + "/_emulator/state"))

    def control(emulator, path, body):
        import json
        data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        return urllib.request.urlopen(urllib.request.Request(emulator.url + "/_emulator" + path, data, headers))

    def row(emulator):
        import json
        body = json.dumps({"display_name": "JP", "creator": "0x81"}).encode()
        key = emulator.env()["INTUITION_API_KEY"]
        headers = {"x-api-key": key, "Content-Type": "application/json"}
        return urllib.request.urlopen(urllib.request.Request(emulator.url + "/identity", body, headers)).status
"""


@pytest.mark.parametrize(
    "given",
    [
        "",
        "[pytest]\nidentity_emulator_spacetime_profile = v2.14\nidentity_emulator_seed = 5\n"
        "identity_emulator_scenario = own_key.yaml\n",
    ],
    ids=["bare", "ini"],
)
def test_the_sessions_server_begins_with_the_sessions_config(run: Run, given: str) -> None:
    (run.folder / "pytest.ini").write_text(given or "[pytest]\n")
    (run.folder / "own_key.yaml").write_text(
        "version: 1\nintuition: {default_api_key: false, api_keys: {ci: {key: 11111111-1111-4111-8111-111111111111}}}\n"
    )
    run.write(APP, "apps.py")
    run.write(f"""
        from apps import *

        @pytest.fixture(scope="session")
        def used(app):
            assert row(app) == 200
            found = state(app)
            assert found["seed"] == {5 if given else 0}
            assert found["spacetime"]["profile"] == "{"v2.14" if given else "documented"}"

        def test_it(used): pass
    """)

    outcome = run()

    assert "1 passed" in outcome.summary, outcome


SPOILT = (
    "create(app)",
    "control(app, '/faults', {'request': 'POST /v1/identity', 'do': {'status': 503}})",
    "control(app, '/clock', {'advance': 3600})",
    "control(app, '/spacetime/rotate-key', {})",
    "row(app)",
)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_test_that_does_not_ask_for_it_gets_a_new_world_too(run: Run, elsewhere: str, where: str) -> None:
    run.write(APP, "apps.py")
    run.write(f"""
        from apps import *
        import time

        def fresh(app):
            found = state(app)
            assert found["journal"]["total"] == found["intuition"]["identities"] == 0
            assert app.env()["INTUITION_API_KEY"].endswith("0001")
            assert found["clock"]["now"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 600))
            assert create(app)[0] == 200

        @pytest.mark.parametrize("spoil", {SPOILT!r})
        class TestEach:
            def test_spoils(self, app, spoil):
                fresh(app)
                eval(spoil)

            def test_next(self, app, spoil):
                fresh(app)
    """)

    outcome = run(*([] if where == "here" else ["--identity-emulator-url", elsewhere]))

    assert "10 passed" in outcome.summary, outcome


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_its_marker_counts_as_if_it_had_asked(run: Run, elsewhere: str, where: str) -> None:
    run.write(APP, "apps.py")
    run.write("""
        from apps import *

        @pytest.mark.identity_emulator(seed=8, scenario="two_friends")
        def test_marked(app):
            assert state(app)["seed"] == 8 and create(app)

        def test_not_marked(app):
            assert state(app)["seed"] == 0

        @pytest.mark.identity_emulator(seed=9)
        def test_started_late(request):
            assert state(request.getfixturevalue("identity_emulator_server"))["seed"] == 9

        @pytest.mark.identity_emulator(sead=9)
        def test_wrong(app): pass
    """)

    options = ["--identity-emulator-url", elsewhere, "--identity-emulator-seed=0"] if where == "elsewhere" else []
    # The command line's seed is above the marker.
    outcome = run(*options[:2], *(["-o", "identity_emulator_seed=0"] if options else []))

    assert "3 passed, 1 error" in outcome.summary, outcome
    assert "has no keyword 'sead'; did you mean 'seed'?" in outcome


def test_a_server_that_is_started_in_the_middle_of_a_test_has_the_tests_world(run: Run) -> None:
    run.write(APP, "apps.py")
    run.write("""
        from apps import *

        @pytest.mark.identity_emulator(seed=9)
        def test_started_late(request):
            assert state(request.getfixturevalue("identity_emulator_server"))["seed"] == 9

        @pytest.mark.identity_emulator(sead=9)
        def test_wrong(request):
            request.getfixturevalue("identity_emulator_server")

        def test_after(app): assert state(app)["seed"] == 0
    """)

    outcome = run()
    wrong_first = run("test_it.py::test_wrong", "test_it.py::test_after")

    assert "2 passed, 1 error" in outcome.summary, outcome
    assert "1 failed, 1 passed" in wrong_first.summary, wrong_first


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_there_is_one_reset_a_test(run: Run, elsewhere: str, where: str) -> None:
    run.write(
        """
        import pytest
        from emulator.control.remote import RemoteEmulator
        from emulator.world.stage import Stage
        resets = []

        @pytest.fixture(autouse=True, scope="session")
        def counted():
            with pytest.MonkeyPatch.context() as patch:
                for kind, name in ((Stage, "begin"), (Stage, "reset"), (RemoteEmulator, "reset")):
                    def count(self, *args, was=getattr(kind, name), called=name, **more):
                        resets.append(called)
                        return was(self, *args, **more)
                    patch.setattr(kind, name, count)
                yield
        """,
        "conftest.py",
    )
    run.write("""
        from conftest import resets

        def test_one(identity_emulator_server): resets.clear()

        def test_two(identity_emulator):
            create(identity_emulator)
            assert len(set(resets)) == len(resets)
            resets.clear()

        def test_three(identity_emulator):
            assert len(set(resets)) == len(resets) > 0
    """)

    outcome = run.process(*([] if where == "here" else ["--identity-emulator-url", elsewhere]))

    assert "3 passed" in outcome.summary, outcome


def test_a_server_elsewhere_is_reset_only_if_a_request_reached_it(run: Run, elsewhere: str) -> None:
    run.write(APP, "apps.py")
    run.write("""
        from apps import *
        changes = []

        def test_nothing(app): changes.append(state(app)["changes"])
        def test_nothing_again(app): changes.append(state(app)["changes"])
        def test_asks(identity_emulator): changes.append(state(identity_emulator)["changes"]); create(identity_emulator)
        def test_reset(app): changes.append(state(app)["changes"])
        def test_differences(): assert [each - changes[0] for each in changes] == [0, 0, 0, 1]
    """)

    outcome = run("--identity-emulator-url", elsewhere)

    assert "5 passed" in outcome.summary, outcome


def test_what_a_wider_fixture_made_is_missing_in_every_test_and_the_failure_says_what_to_do(run: Run) -> None:
    run.write(APP, "apps.py")
    run.write("""
        from apps import *

        @pytest.fixture(scope="session")
        def seeded(app): assert row(app) == 200; return app

        @pytest.mark.parametrize("number", range(3))
        def test_it(seeded, number):
            assert status(seeded, "/v1/ping", "GET") == 200
            assert state(seeded)["intuition"]["identities"] == 1
    """)

    outcome = run()

    assert "3 failed" in outcome.summary
    assert (
        outcome.count(
            "not in this world, which began after it: what wider fixtures made with POST /identity (before test_it.py"
        )
        == 3
    )
    assert "identity_emulator_factory" in outcome
    assert "identity_emulator_reset = module" in outcome


def test_function_fixtures_put_things_into_the_tests_world_whatever_their_order(run: Run) -> None:
    run.write(APP, "apps.py")
    run.write("""
        from apps import *

        @pytest.fixture(autouse=True)
        def first(app): row(app)

        @pytest.fixture
        def second(app): row(app)

        def setup_function(): pass

        @pytest.mark.parametrize("number", range(2))
        def test_it(second, identity_emulator, number): assert state(identity_emulator)["intuition"]["identities"] == 2

        class TestClass:
            @pytest.fixture(autouse=True)
            def third(self, app): row(app)

            def test_it(self, app): assert state(app)["intuition"]["identities"] == 2
    """)

    outcome = run()

    assert "3 passed" in outcome.summary, outcome


def test_unittest_and_doctest_get_a_new_world_each(run: Run) -> None:
    run.write(APP, "apps.py")
    run.write("""
        import os, unittest
        from apps import *

        @pytest.fixture(autouse=True, scope="session")
        def environment(identity_emulator_server):
            os.environ["WHERE"] = identity_emulator_server.url
            TestIt.server = identity_emulator_server

        class TestIt(unittest.TestCase):
            def setUp(self): row(self.server)
            def test_one(self): self.assertEqual(state(self.server)["intuition"]["identities"], 1)
            def test_two(self): self.assertEqual(state(self.server)["intuition"]["identities"], 1)

        def one():
            '''
            >>> server = getfixture("identity_emulator_server")
            >>> row(server), state(server)["journal"]["total"]
            (200, 1)
            '''

        def two():
            '''
            >>> server = getfixture("identity_emulator_server")
            >>> row(server), state(server)["journal"]["total"]
            (200, 1)
            '''
    """)

    outcome = run("--doctest-modules", "test_it.py")

    assert "4 passed" in outcome.summary, outcome


# --- identity_emulator_reset ------------------------------------------------------------------------------------------

SEEDED = """
    from apps import *

    @pytest.fixture(scope="session")
    def in_session(app): row(app)

    @pytest.fixture(scope="module")
    def in_module(app): row(app)

    def test_one(in_session, in_module, app, found): found.append(state(app)["intuition"]["identities"]); row(app)
    def test_two(in_session, in_module, identity_emulator, found):
        found.append(state(identity_emulator)["intuition"]["identities"])
"""
FOUND = """
    import pytest

    @pytest.fixture(scope="session")
    def found():
        seen = []
        yield seen
        print("found", seen)
"""


@pytest.mark.parametrize(
    ("value", "expected"), [("test", [0, 0, 0, 0]), ("module", [1, 2, 1, 2]), ("session", [2, 3, 5, 6])]
)
@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_the_ini_file_says_how_long_a_world_lasts(
    run: Run, elsewhere: str, value: str, expected: list[int], where: str
) -> None:
    (run.folder / "pytest.ini").write_text(f"[pytest]\nidentity_emulator_reset = {value}\n")
    run.write(APP, "apps.py")
    run.write(FOUND, "conftest.py")
    run.write(SEEDED, "test_a.py")
    run.write(SEEDED, "test_b.py")

    outcome = run("-s", *([] if where == "here" else ["--identity-emulator-url", elsewhere]))

    assert "4 passed" in outcome.summary, outcome
    assert f"found {expected}" in outcome


def test_another_value_is_an_error_that_lists_them(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_reset = never\n")
    run.write("def test_it(identity_emulator): pass")

    assert "identity_emulator_reset is 'never'; it is one of test, module, session" in run()


def test_a_test_with_other_settings_than_its_modules_world_is_an_error(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_reset = module\n")
    run.write("""
        import pytest
        pytestmark = pytest.mark.identity_emulator(seed=5)

        def test_good(identity_emulator): pass

        @pytest.mark.identity_emulator(seed=6)
        def test_bad(identity_emulator): pass
    """)

    outcome = run()

    assert "1 passed, 1 error" in outcome.summary
    assert "this test has its own seed, and identity_emulator_reset = module keeps one world for the module" in outcome


# --- worlds of wider fixtures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["session", "package", "module", "class", "function"])
def test_a_fixture_of_any_scope_can_have_a_world_of_its_own(run: Run, scope: str) -> None:
    run.write(f"""
        import pytest

        @pytest.fixture(scope="{scope}")
        def emulator(identity_emulator_factory):
            with identity_emulator_factory(seed=7, scenario="two_friends") as emulator:
                emulator.spacetime.create_identity()
                yield emulator

        class TestIt:
            def test_one(self, emulator, identity_emulator):
                assert names(emulator) == ["alice", "bob"]
                assert emulator.url != identity_emulator.url
                assert create(emulator)[0] == 200

            def test_two(self, emulator, make_identity_emulator):
                assert len(emulator.journal) == {0 if scope == "function" else 1}
    """)

    outcome = run()

    assert "2 passed" in outcome.summary, outcome


def test_the_factorys_config_is_over_the_sessions_and_its_files_are_beside_the_caller(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_spacetime_profile = v2.14\n")
    run.write("version: 1\nspacetime: {identities: {zoe: }}\n", "sub/near.yaml")
    run.write(APP, "apps.py")
    run.write(
        """
        from apps import *

        @pytest.fixture(scope="module")
        def emulator(identity_emulator_factory):
            with identity_emulator_factory(scenario="near.yaml", port=0) as emulator:
                yield emulator

        def test_it(emulator):
            assert names(emulator) == ["zoe"]
            assert state(emulator)["spacetime"]["profile"] == "v2.14"
            emulator.load("near.yaml")
        """,
        "sub/test_it.py",
    )

    outcome = run("-o", "pythonpath=.")

    assert "1 passed" in outcome.summary, outcome


def test_a_wrong_keyword_of_the_factory_is_named(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator_factory):
            with identity_emulator_factory(sede=1): pass
    """)

    assert "identity_emulator_factory has no keyword 'sede'; did you mean 'seed'?" in run()


@pytest.mark.parametrize("name", ["actors", "journal", "reset", "faults", "clock", "spacetime", "intuition", "load"])
def test_the_address_has_no_world_and_names_the_factory(run: Run, name: str) -> None:
    run.write(f"def test_it(identity_emulator_server): identity_emulator_server.{name}")

    outcome = run()

    assert f"identity_emulator_server has no '{name}': it is an address without a world" in outcome
    assert "identity_emulator_factory(seed=7)" in outcome


@pytest.mark.parametrize("name", ["identity_emulator", "make_identity_emulator"])
@pytest.mark.parametrize("scope", ["class", "module", "session"])
def test_a_scope_mismatch_names_the_factory(run: Run, name: str, scope: str) -> None:
    run.write(f"""
        import pytest

        @pytest.fixture(scope="{scope}")
        def wide({name}): pass

        def test_it(wide): pass
    """)

    outcome = run()

    assert f"fixture {name} with a {scope} scoped request" in outcome
    assert "identity_emulator_factory(seed=7)" in outcome


def test_a_scope_mismatch_of_other_fixtures_is_left_as_it_is(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture
        def narrow(): pass

        @pytest.fixture(scope="module")
        def wide(narrow): pass

        def test_it(wide): pass
    """)

    assert "identity_emulator" not in run()
