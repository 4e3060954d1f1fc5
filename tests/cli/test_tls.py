"""`--tls` and its options, of `serve` and `exec`."""

import json
import ssl
import stat
import sys
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.cli.command import execute, run, serving
from tests.limits import LIMIT

HAS_TRUSTSTORE = hasattr(pkcs12, "serialize_java_truststore")
"""Not before cryptography 45."""

ENVIRONMENT = "import os, json; print(json.dumps(dict(os.environ)))"


def test_the_ready_line_names_both_ports_and_the_ca() -> None:
    with serving("--port", "0", "--tls") as (_, ready):
        assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
        assert ready["tls_url"] == f"https://127.0.0.1:{ready['tls_port']}"
        context = ssl.create_default_context(cafile=ready["ca_file"])
        assert httpx.get(f"{ready['tls_url']}/v1/ping", verify=context).status_code == 200
        assert httpx.get(f"{ready['url']}/v1/ping").status_code == 200
        folder = Path(ready["ca_file"]).parent
        assert Path(ready["ca_bundle_file"]).parent == folder
        assert ("truststore_file" in ready) == HAS_TRUSTSTORE


def test_the_banner_names_both_too(tmp_path: Path) -> None:
    with serving("--port", "0", "--tls", "--tls-ca-file", str(tmp_path / "ca.pem")) as (process, ready):
        process.terminate()
        _, banner = process.communicate(timeout=LIMIT)

    assert f"{ready['url']}/v1/identity" in banner
    assert f"TLS          {ready['tls_url']}\n               CA: {tmp_path / 'ca.pem'}\n" in banner


def test_without_tls_the_ready_line_says_nothing_of_it() -> None:
    with serving("--port", "0") as (_, ready):
        assert not [name for name in ready if "tls" in name or "ca_" in name]


def test_the_ca_is_written_where_it_is_wanted_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with serving("--port", "0", "--tls", "--tls-ca-file", str(path)) as (_, ready):
        assert ready["ca_file"] == str(path)
        assert path.read_text().count("BEGIN CERTIFICATE") == 1
        assert "PRIVATE" not in path.read_text()

    assert path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there the process is killed")
def test_its_own_files_are_removed_at_the_end() -> None:
    with serving("--port", "0", "--tls") as (_, ready):
        folder = Path(ready["ca_file"]).parent
        assert folder.is_dir()

    assert not folder.exists()


def test_the_port_for_tls_can_be_chosen_in_the_environment() -> None:
    with serving("--port", "0", IDENTITY_EMULATOR_TLS="1", IDENTITY_EMULATOR_TLS_PORT="0") as (_, ready):
        assert ready["tls_port"] not in {0, ready["port"]}


def test_a_certificate_of_ones_own(tmp_path: Path) -> None:
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    (tmp_path / "cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    key = tmp_path / "key.pem"
    key.write_bytes(issued.private_key_pem.bytes())
    own = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(key))
    with serving("--port", "0", *own, "--log-level", "debug") as (process, ready):
        context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
        assert httpx.get(f"{ready['tls_url']}/v1/ping", verify=context).status_code == 200
        told = [httpx.get(f"{ready['url']}/_emulator/{route}").text for route in ("journal", "snapshot", "state")]
        process.terminate()
        out, log = process.communicate(timeout=LIMIT)

    secret = issued.private_key_pem.bytes().decode().splitlines()[1]
    assert secret not in "".join([*told, out, log])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tls-key", "k.pem"], "--tls-key: give its certificate too, with --tls-cert"),
        (["--tls-port", "1"], "--tls-port needs --tls or --tls-cert"),
        (["--tls-ca-file", "ca.pem"], "--tls-ca-file needs --tls"),
        (["--tls-cert", "c.pem", "--tls-ca-file", "ca.pem"], "--tls-ca-file is written by --tls"),
        (["--tls", "--tls-ca-file", "none/ca.pem"], "--tls-ca-file none/ca.pem: there is no such folder"),
        (["--tls-cert", "none.pem", "--tls-key", "k.pem"], "--tls-cert none.pem and --tls-key k.pem: No such file"),
    ],
)
def test_options_that_do_not_fit_are_an_error_in_one_line(options: list[str], said: str) -> None:
    status, output = run("serve", "--port", "0", *options)

    assert (status, output.startswith(f"Error: {said}")) == (2, True), output


def test_without_trustme_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)

    status, output = run("serve", "--port", "0", "--tls")

    assert status == 2
    assert "pip install 'identity-emulator[tls]'" in output


def test_exec_gives_the_command_https_addresses_and_the_files() -> None:
    found = json.loads(execute("--tls", "--", sys.executable, "-c", ENVIRONMENT).stdout)

    assert found["IDENTITY_EMULATOR_URL"] == found["SPACETIMEDB_URI"] == found["INTUITION_API_URL"]
    assert found["SPACETIMEDB_URI"].startswith("https://127.0.0.1:")
    assert found["SSL_CERT_FILE"] == found["REQUESTS_CA_BUNDLE"]
    assert {"NODE_EXTRA_CA_CERTS", "IDENTITY_EMULATOR_CA_FILE"} <= set(found)
    assert ("IDENTITY_EMULATOR_TRUSTSTORE" in found) == HAS_TRUSTSTORE


def test_the_command_reaches_the_emulator_through_the_library_of_python() -> None:
    program = (
        "import os, urllib.request as r\n"
        "print(r.urlopen(os.environ['SPACETIMEDB_URI'] + '/v1/ping').status)\n"
        "from emulator.control.remote import RemoteEmulator\n"
        "print(RemoteEmulator(os.environ['IDENTITY_EMULATOR_URL']).clock.frozen)"
    )
    done = execute("--tls", "--", sys.executable, "-c", program)

    assert (done.returncode, done.stdout, done.stderr) == (0, "200\nFalse\n", "")


def test_health_asks_over_tls_and_says_when_the_ca_is_not_trusted() -> None:
    command = [sys.executable, "-m", "emulator", "health"]
    assert execute("--tls", "--", *command).returncode == 0
    with serving("--port", "0", "--tls") as (_, ready):
        status, output = run("health", ready["tls_url"])

    assert status == 1
    assert "is not trusted" in output
    assert "set SSL_CERT_FILE to the file of its CA" in output


def test_several_hosts_are_one_option_each() -> None:
    with serving("--port", "0", "--host", "127.0.0.1", "--host", "localhost") as (_, ready):
        assert httpx.get(f"http://localhost:{ready['port']}/v1/ping").status_code == 200


def test_or_words_of_one_variable() -> None:
    with serving("--port", "0", IDENTITY_EMULATOR_HOST="127.0.0.1 localhost") as (_, ready):
        assert httpx.get(f"http://localhost:{ready['port']}/v1/ping").status_code == 200


def test_each_host_beyond_loopback_needs_a_token() -> None:
    status, output = run("serve", "--port", "0", "--host", "127.0.0.1", "--host", "0.0.0.0")

    assert status == 2
    assert "the host 0.0.0.0 is open to other machines" in output


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_folder_of_the_files_is_the_users_own() -> None:
    with serving("--port", "0", "--tls") as (_, ready):
        assert stat.S_IMODE(Path(ready["ca_file"]).parent.stat().st_mode) == 0o700
