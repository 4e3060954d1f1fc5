"""The fixtures: a world for each test, from one server."""

from tests.pytest_plugin.inner import Run


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


def test_a_run_that_does_not_use_it_loads_nothing(run: Run) -> None:
    run.write("""
        import sys

        def test_it():
            loaded = {name.partition(".")[0] for name in sys.modules}
            unwanted = {"emulator", "aiohttp", "cryptography", "msgspec", "blake3", "click", "asyncio", "ruamel"}
            assert not loaded & unwanted
    """)

    assert "1 passed" in run.process().summary


UNFINISHED = """
    import socket

    def unfinished(emulator):
        '''A request that the server has begun to answer; the 38 bytes of its body are still to be sent.'''
        connection = socket.create_connection(("127.0.0.1", emulator.port))
        connection.sendall(
            b"POST /identity HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: 38\\r\\n"
            b"x-api-key: 00000000-0000-4000-8000-000000000001\\r\\nExpect: 100-continue\\r\\n\\r\\n"
        )
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\\r\\n\\r\\n"
        return connection
"""


def test_an_unfinished_request_is_aborted_and_not_seen_by_the_next_test(run: Run) -> None:
    run.write(UNFINISHED, "unfinished.py")
    run.write("""
        from unfinished import unfinished
        held = []

        def test_leaves(identity_emulator):
            held.append(unfinished(identity_emulator))
            held[0].sendall(b"{")

        def test_next(identity_emulator):
            assert held[0].recv(100) == b""
            held[0].close()
            assert len(identity_emulator.journal) == 0
    """)

    outcome = run()
    assert "2 passed" in outcome.summary, outcome


def test_a_request_under_way_at_a_reset_ends_in_its_old_world(run: Run) -> None:
    run.write(UNFINISHED, "unfinished.py")
    run.write("""
        from unfinished import unfinished

        def test_it(identity_emulator):
            old = identity_emulator.journal
            with unfinished(identity_emulator) as connection:
                identity_emulator.reset()
                connection.sendall(b'{"display_name":"JP","creator":"0x81"}')
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
            [exchange] = old
            assert exchange.outlived
            assert len(identity_emulator.journal) == 0
    """)

    outcome = run()
    assert "1 passed" in outcome.summary, outcome
