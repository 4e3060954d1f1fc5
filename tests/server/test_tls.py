"""TLS: a CA made for the run, clients that verify it, WebSockets and faults over it."""

import asyncio
import logging
import socket
import ssl
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import aiohttp
import httpx
import pytest
import requests
import trustme
from aiohttp.web_protocol import RequestHandler

from emulator import Emulator, Misconfigured, running, running_in_thread
from emulator.control.trust import Trust
from tests.limits import LIMIT
from tests.raw import connect, read_answer, request
from tests.waiting import PATIENCE, eventually


@pytest.fixture(scope="module")
def running_with_tls() -> Iterator[Emulator]:
    with running_in_thread(tls=True) as emulator:
        yield emulator


@pytest.fixture
def secure(running_with_tls: Emulator) -> Emulator:
    running_with_tls.reset()
    return running_with_tls


def trust_of(emulator: Emulator) -> Trust:
    assert emulator.trust is not None
    return emulator.trust


def connected(emulator: Emulator, context: ssl.SSLContext | None = None, name: str = "127.0.0.1") -> ssl.SSLSocket:
    return (context or emulator.ssl_context()).wrap_socket(connect(emulator.url), server_hostname=name)


# --- addresses and trust ----------------------------------------------------------------------------------------------


def test_the_url_is_https_and_the_other_port_is_plain(secure: Emulator) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    assert secure.plain_url.startswith("http://127.0.0.1:")
    assert requests.get(f"{secure.plain_url}/v1/ping", timeout=LIMIT).status_code == 200
    assert requests.get(f"{secure.url}/v1/ping", verify=str(trust_of(secure).ca_file), timeout=LIMIT).status_code == 200


def test_both_ports_are_one_world(secure: Emulator) -> None:
    requests.get(f"{secure.plain_url}/v1/ping", timeout=LIMIT)
    httpx.get(f"{secure.url}/v1/ping", verify=secure.ssl_context())

    assert [each.path for each in secure.journal.exchanges] == ["/v1/ping", "/v1/ping"]


def test_httpx_verifies_it(secure: Emulator) -> None:
    assert httpx.post(f"{secure.url}/v1/identity", verify=secure.ssl_context()).status_code == 200


def test_aiohttp_verifies_it(secure: Emulator) -> None:
    async def status() -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{secure.url}/v1/identity", ssl=secure.ssl_context()) as answer,
        ):
            return answer.status

    assert asyncio.run(status()) == 200


def test_in_the_tests_own_loop_too() -> None:
    async def status() -> int:
        async with (
            running(tls=True) as emulator,
            aiohttp.ClientSession() as session,
            session.get(f"{emulator.url}/v1/ping", ssl=emulator.ssl_context()) as answer,
        ):
            return answer.status

    assert asyncio.run(status()) == 200


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_certificate_has_every_name_of_loopback(secure: Emulator, name: str) -> None:
    with connected(secure, name=name) as connection:
        assert connection.version() == "TLSv1.3"


def test_it_has_no_other(secure: Emulator) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connected(secure, name="other.example")


@pytest.mark.parametrize("host", ["app.localhost", "127.0.0.2", "::1", "localhost"])
def test_it_has_the_host_that_is_listened_on(host: str) -> None:
    try:
        with running_in_thread(host=host, tls=True) as emulator, connected(emulator, name=host) as connection:
            assert connection.version()
    except Misconfigured:
        pytest.skip(f"this machine has no {host}")


def test_who_does_not_trust_the_ca_is_refused_and_the_log_says_what_to_do(
    secure: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "emulator"):
        with pytest.raises(ssl.SSLCertVerificationError):
            connected(secure, ssl.create_default_context())
        assert eventually(lambda: "does not trust the emulator's CA: give it the variables of `env()`" in caplog.text)


def test_plain_http_at_the_tls_port_is_logged(secure: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "emulator"):
        with pytest.raises(requests.ConnectionError):
            requests.get(secure.url.replace("https", "http"), timeout=LIMIT)
        assert eventually(lambda: "sent plain HTTP to the port for TLS: use its https:// URL" in caplog.text)


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["http/1.1"]])
def test_alpn_has_http_1_1_only(secure: Emulator, offered: list[str]) -> None:
    context = secure.ssl_context()
    context.set_alpn_protocols(offered)
    with connected(secure, context) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_who_offers_http_2_alone_gets_no_protocol(secure: Emulator) -> None:
    context = secure.ssl_context()
    context.set_alpn_protocols(["h2"])
    with connected(secure, context) as connection:
        assert connection.selected_alpn_protocol() is None


def test_without_tls_the_context_trusts_the_systems_cas_alone(emulator: Emulator) -> None:
    assert emulator.trust is None
    assert emulator.ssl_context().verify_mode is ssl.CERT_REQUIRED
    assert emulator.plain_url == emulator.url


# --- the environment and the files ------------------------------------------------------------------------------------


def test_the_environment_has_the_urls_and_the_files(secure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    found, trust = secure.env(), trust_of(secure)

    assert {found[name] for name in ("IDENTITY_EMULATOR_URL", "SPACETIMEDB_URI", "INTUITION_API_URL")} == {secure.url}
    assert found["SSL_CERT_FILE"] == found["REQUESTS_CA_BUNDLE"] == str(trust.bundle_file)
    assert found["NODE_EXTRA_CA_CERTS"] == str(trust.extra_file)
    assert "CURL_CA_BUNDLE" not in found
    assert found["IDENTITY_EMULATOR_CA_FILE"] == str(trust.ca_file)


def test_curls_own_variable_is_replaced_where_it_is_set(secure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURL_CA_BUNDLE", "corporate.pem")

    assert secure.env()["CURL_CA_BUNDLE"] == str(trust_of(secure).bundle_file)


def test_without_tls_no_variable_of_it_is_set(emulator: Emulator) -> None:
    assert not {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} & set(emulator.env())


VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_bundle_keeps_the_cas_that_a_variable_named(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = a_ca_in(tmp_path / "theirs.pem")
    monkeypatch.setenv(variable, str(tmp_path / "theirs.pem"))

    with running_in_thread(tls=True) as emulator:
        bundle = trust_of(emulator).bundle_file.read_text()

    assert theirs in bundle
    assert trust_of(emulator).ca.strip() in bundle


def test_nodes_file_keeps_those_that_its_variable_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = a_ca_in(tmp_path / "theirs.pem")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "theirs.pem"))

    with running_in_thread(tls=True) as emulator:
        assert trust_of(emulator).extra_file.read_text() == f"{theirs}\n{trust_of(emulator).ca}"
        assert trust_of(emulator).ca_file.read_text() == trust_of(emulator).ca


def test_the_bundle_has_the_systems_cas(secure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    known, trusted = ssl.create_default_context(), ssl.create_default_context(cafile=trust_of(secure).bundle_file)

    assert {each["serialNumber"] for each in known.get_ca_certs()} <= {
        each["serialNumber"] for each in trusted.get_ca_certs()
    }


def a_ca_in(path: Path) -> str:
    text = trustme.CA().cert_pem.bytes().decode().strip()
    path.write_text(f"# a comment\n{text}\n")
    return text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_no_file_has_a_private_key_and_the_folder_is_the_users_own(secure: Emulator) -> None:
    folder = trust_of(secure).ca_file.parent

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not [each for each in folder.iterdir() if b"PRIVATE KEY" in each.read_bytes()]


def test_the_files_are_removed_at_the_end() -> None:
    with running_in_thread(tls=True) as emulator:
        folder = trust_of(emulator).ca_file.parent
        assert folder.is_dir()

    assert not folder.exists()


def test_a_server_that_can_not_start_leaves_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        running_in_thread() as taken,
        pytest.raises(Misconfigured, match="choose another --tls-port"),
        running_in_thread(tls=True, tls_port=taken.port),
    ):
        pass

    assert list(tmp_path.iterdir()) == []


# --- a certificate of one's own ---------------------------------------------------------------------------------------


class Own:
    """The files of a certificate by another CA."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        issued = self.ca.issue_cert("127.0.0.1")
        self.chain, self.key, self.both = folder / "cert.pem", folder / "key.pem", folder / "both.pem"
        self.chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.both.write_bytes(issued.private_key_and_cert_chain_pem.bytes())


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path)


@pytest.mark.parametrize("in_one_file", [False, True])
def test_a_certificate_of_ones_own_is_served(own: Own, in_one_file: bool) -> None:
    context = ssl.create_default_context(cadata=own.ca.cert_pem.bytes().decode())
    with running_in_thread(tls=(own.both,) if in_one_file else (own.chain, str(own.key))) as emulator:
        assert httpx.get(f"{emulator.url}/v1/ping", verify=context).status_code == 200
        assert "PRIVATE KEY" not in trust_of(emulator).ca_file.read_text() + trust_of(emulator).bundle_file.read_text()


def test_its_file_is_what_clients_are_given(own: Own) -> None:
    with running_in_thread(tls=(own.chain, own.key)) as emulator:
        assert trust_of(emulator).ca_file.read_text() == own.chain.read_text()


def test_a_certificate_that_signed_itself_is_trusted_by_them(tmp_path: Path) -> None:
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems) + ca.cert_pem.bytes())
    (tmp_path / "key.pem").write_bytes(issued.private_key_pem.bytes())
    with running_in_thread(tls=(chain, tmp_path / "key.pem")) as emulator:
        assert httpx.get(f"{emulator.url}/v1/ping", verify=emulator.ssl_context()).status_code == 200


def test_what_can_not_be_loaded_is_an_error_in_one_line(own: Own, tmp_path: Path) -> None:
    other = Own(tmp_path)
    (tmp_path / "empty.pem").touch()
    locked = tmp_path / "locked.pem"
    locked.write_bytes(_with_password(own.key.read_bytes()))
    for files, said in {
        (tmp_path / "none.pem", own.key): "none.pem.*: No such file",
        (tmp_path, own.key): "",
        (tmp_path / "empty.pem", own.key): "must be PEM files",
        (own.chain, tmp_path / "empty.pem"): "must be PEM files",
        (own.chain,): "must be PEM files",
        (other.chain, locked): "the key has a password; give one without",
    }.items():
        with pytest.raises(Misconfigured, match=f"--tls-cert .*{said}"), running_in_thread(tls=files):  # type: ignore[arg-type]  # of one and of two
            pass


def test_the_key_of_another_certificate_is_named_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = Own(tmp_path / "a"), Own(tmp_path / "b")

    with (
        pytest.raises(Misconfigured, match="the key is that of another certificate"),
        running_in_thread(tls=(one.chain, other.key)),
    ):
        pass


def _with_password(key: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )


@pytest.mark.parametrize("wanted", ["yes", (), ("a", "b", "c"), 1])
def test_what_tls_can_be_is_said(wanted: object) -> None:
    with (
        pytest.raises(Misconfigured, match="it is True, or the files of a certificate and its key"),
        running_in_thread(
            tls=wanted  # type: ignore[arg-type]
        ),
    ):
        pass


def test_without_trustme_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)

    with pytest.raises(Misconfigured, match=r"pip install 'identity-emulator\[tls\]'"), running_in_thread(tls=True):
        pass


# --- on the wire ------------------------------------------------------------------------------------------------------


def test_a_response_is_byte_for_byte_as_without_tls(secure: Emulator) -> None:
    sent = request("GET", "/v1/identity/public-key")
    with connect(secure.plain_url) as plain, connected(secure) as connection:
        plain.sendall(sent)
        connection.sendall(sent)

        assert read_answer(plain) == read_answer(connection)


def test_what_is_not_http_is_answered_and_the_connection_ends(secure: Emulator) -> None:
    with connected(secure) as connection:
        connection.sendall(b"nonsense\r\n\r\n")

        assert read_answer(connection).status == 400
        assert connection.recv(1) == b""


def test_a_body_that_is_too_long_is_refused_while_it_is_sent(secure: Emulator) -> None:
    with connected(secure) as connection:
        connection.sendall(request("POST", "/identity", "Content-Length: 5000000", "Content-Type: application/json"))

        assert read_answer(connection).status in {401, 413}


def test_who_never_sends_the_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = RequestHandler.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "lingering_time", LIMIT)
    with running_in_thread(tls=True) as emulator, connected(emulator) as connection:
        connection.sendall(request("POST", "/v1/identity", "Content-Length: 10"))

        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""


def test_who_still_sends_a_body_that_is_refused_gets_the_response(secure: Emulator) -> None:
    body = b"a" * 5_000_000
    with connected(secure) as connection:
        connection.sendall(request("POST", "/v1/identity", body=body))

        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""


def test_a_dropped_connection_ends_without_a_byte(secure: Emulator) -> None:
    secure.faults.add("GET /v1/ping", drop="before")
    with connected(secure) as connection:
        connection.sendall(request("GET", "/v1/ping"))

        assert connection.recv(1) == b""


def test_a_reset_connection_ends_without_the_end_of_tls(secure: Emulator) -> None:
    secure.faults.add("GET /v1/ping", tcp_reset=True)
    context = secure.ssl_context()
    with context.wrap_socket(
        connect(secure.url), server_hostname="127.0.0.1", suppress_ragged_eofs=False
    ) as connection:
        connection.sendall(request("GET", "/v1/ping"))

        with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
            connection.recv(1)


def test_a_page_of_the_emulators_own_origin_is_answered(secure: Emulator) -> None:
    host = secure.url.removeprefix("https://")
    for origin, status in {f"https://{host}": 200, f"http://{host}": 403}.items():
        answer = httpx.get(f"{secure.url}/_emulator/health", headers={"Origin": origin}, verify=secure.ssl_context())
        assert answer.status_code == status


def test_the_curl_of_an_exchange_has_the_url_that_was_asked(secure: Emulator) -> None:
    httpx.get(f"{secure.url}/v1/ping", verify=secure.ssl_context())

    found = httpx.get(f"{secure.url}/_emulator/journal/1/curl", verify=secure.ssl_context()).text

    assert f"{secure.url}/v1/ping" in found


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["in the handshake", "idle"])
def test_a_client_that_stays_does_not_hold_up_the_end(when: str) -> None:
    with running_in_thread(tls=True) as emulator:
        plain = connect(emulator.url)
        held = (
            plain
            if when == "in the handshake"
            else emulator.ssl_context().wrap_socket(plain, server_hostname="127.0.0.1")
        )
    with held:
        assert held.recv(1) == b""


def test_a_client_that_says_nothing_is_gone_with_the_server_in_a_loop_that_goes_on() -> None:
    async def end(silent: socket.socket, left: list[asyncio.Task[object]]) -> bytes:
        async with running(tls=True) as emulator:
            silent.connect(("127.0.0.1", emulator.port))
            async with aiohttp.ClientSession() as session:  # accepted after it
                await session.get(f"{emulator.url}/v1/ping", ssl=emulator.ssl_context())
        left += [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        return silent.recv(1)

    left: list[asyncio.Task[object]] = []
    with socket.socket() as silent:
        silent.settimeout(PATIENCE)
        assert asyncio.run(end(silent, left)) == b""
    assert left == []


def test_a_client_that_does_not_answer_the_end_of_tls_leaves_nothing_behind() -> None:
    async def count() -> int:
        async with running(tls=True) as emulator:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", emulator.port, ssl=emulator.ssl_context(), server_hostname="127.0.0.1"
            )
            writer.write(request("GET", "/v1/ping"))
            await reader.readline()
            cast("asyncio.Transport", writer.transport).pause_reading()
        left = len([each for each in asyncio.all_tasks() if each is not asyncio.current_task()])
        writer.transport.abort()
        return left

    assert asyncio.run(count()) == 0
