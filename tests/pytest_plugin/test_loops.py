"""Under each event loop plugin, and the client in the test's own loop."""

import pytest

from tests.pytest_plugin.inner import LOOP_SCOPE, Run

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

    outcome = run(*options, *(LOOP_SCOPE if "pytest_asyncio.plugin" in options else ()))

    assert "2 passed" in outcome.summary, outcome


def test_it_works_under_trio(run: Run) -> None:
    run.write("import pytest\n\n@pytest.fixture\ndef anyio_backend(): return 'trio'\n", "conftest.py")
    for mark, plugin in (("anyio", "anyio.pytest_plugin"), ("trio", "pytest_trio.plugin")):
        run.write(HTTPX.format(mark=f"@pytest.mark.{mark}"), f"test_{mark}.py")

        outcome = run("-p", plugin, f"test_{mark}.py")
        assert "1 passed" in outcome.summary, outcome


WITH_AIOHTTP = ("-p", "pytest_asyncio.plugin", "-p", "pytest_aiohttp.plugin", "--asyncio-mode=auto", *LOOP_SCOPE)


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

    outcome = run(*WITH_AIOHTTP)

    assert "1 failed, 1 passed, 1 error" in outcome.summary, outcome
    assert "GET /v1/nonsense: no such route" in outcome
    assert "not both: they are two emulators" in outcome


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

    outcome = run(*WITH_AIOHTTP)

    assert "1 passed" in outcome.summary, outcome


def test_without_pytest_aiohttp_the_client_fixture_names_what_to_install(run: Run) -> None:
    run.write("def test_it(identity_emulator_client): pass")

    assert "pip install 'identity-emulator[pytest-aiohttp]'" in run()
