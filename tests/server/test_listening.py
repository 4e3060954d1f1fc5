"""Several hosts, and names with several addresses, on one port."""

import socket

import pytest
import requests

from emulator import Misconfigured, running_in_thread
from emulator.server.listening import listen
from tests.limits import LIMIT


def has_ipv6() -> bool:
    try:
        listen("::1", 0).close()
    except Misconfigured:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="IPv6 is switched off on this machine")


def addresses(*hosts: str, port: int = 0) -> list[str]:
    with listen(hosts, port) as listening:
        found = [each.getsockname() for each in listening.plain]
    assert len({port for _, port, *_ in found}) == 1
    return [address for address, *_ in found]


@needs_ipv6
@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        (["localhost"], ["127.0.0.1", "::1"]),
        (["LOCALHOST"], ["127.0.0.1", "::1"]),
        (["app.localhost"], ["127.0.0.1", "::1"]),
        (["127.0.0.1", "::1"], ["127.0.0.1", "::1"]),
        (["[::1]", "127.0.0.1"], ["::1", "127.0.0.1"]),
        (["127.0.0.1", "localhost", "::1"], ["127.0.0.1", "::1"]),
        (["127.0.0.1", "127.0.0.2"], ["127.0.0.1", "127.0.0.2"]),
        (["127.0.0.1", "0.0.0.0"], ["0.0.0.0"]),
        (["0.0.0.0", "::"], ["0.0.0.0", "::"]),
        (["::", "localhost"], ["::", "127.0.0.1"]),
    ],
)
def test_each_address_is_listened_on_once_and_all_on_one_port(hosts: list[str], found: list[str]) -> None:
    assert addresses(*hosts) == found


@needs_ipv6
def test_localhost_is_answered_on_both_families() -> None:
    with running_in_thread(host="localhost") as emulator:
        for host in ("127.0.0.1", "[::1]", "localhost"):
            assert requests.get(f"http://{host}:{emulator.port}/_emulator/health", timeout=LIMIT).status_code == 200


@needs_ipv6
def test_several_hosts_are_answered_each() -> None:
    with running_in_thread(host=("127.0.0.1", "::1")) as emulator:
        assert emulator.url == f"http://127.0.0.1:{emulator.port}"
        for host in ("127.0.0.1", "[::1]"):
            assert requests.get(f"http://{host}:{emulator.port}/_emulator/health", timeout=LIMIT).status_code == 200


def test_without_ipv6_localhost_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ipv6(monkeypatch)

    assert addresses("localhost") == ["127.0.0.1"]


def test_without_ipv6_an_ipv6_address_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ipv6(monkeypatch)

    with pytest.raises(Misconfigured, match=r"can't listen on ::1:0: .*--host is a name or an address of this machine"):
        listen(["127.0.0.1", "::1"], 0)


def without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyIpv4(socket.socket):
        def bind(self, address: object) -> None:
            if self.family == socket.AF_INET6:
                import errno

                raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            super().bind(address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "socket", OnlyIpv4)


@needs_ipv6
def test_a_free_port_is_free_at_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("::1", 0) as taken:
        port = taken.plain[0].getsockname()[1]
        offered = iter([port])

        class FirstAtThatPort(socket.socket):
            def bind(self, address: tuple[object, ...]) -> None:  # type: ignore[override]
                if address[1] == 0:
                    address = (address[0], next(offered, 0))
                super().bind(address)

        monkeypatch.setattr(socket, "socket", FirstAtThatPort)
        with listen(["127.0.0.1", "::1"], 0) as listening:
            assert listening.plain[1].getsockname()[1] == listening.plain[0].getsockname()[1] != port


@needs_ipv6
def test_a_port_that_is_taken_at_one_address_is_an_error_that_names_it() -> None:
    with listen("::1", 0) as taken:
        port = taken.plain[0].getsockname()[1]
        with pytest.raises(Misconfigured, match=f"can't listen on ::1:{port}: .*choose another --port"):
            listen(["127.0.0.1", "::1"], port)


@pytest.mark.parametrize("hosts", [("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1"), ("localhost", "::")])
def test_one_host_that_is_open_to_others_needs_a_token(hosts: tuple[str, ...]) -> None:
    with (
        pytest.raises(Misconfigured, match=r"the host (0\.0\.0\.0|::) is open to other machines: give a control token"),
        running_in_thread(host=hosts),
    ):
        pass


def test_no_host_is_an_error() -> None:
    with pytest.raises(Misconfigured, match="there is no host to listen on"):
        listen([], 0)
