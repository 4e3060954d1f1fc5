"""TLS: a certificate of a CA made for this run, or one's own, and the files by which clients verify it.

Imported when TLS is asked for. The CA's key stays in memory. The certificate's is in a file (0600) for a moment, in
which the standard library reads it: `load_cert_chain` reads files only.
"""

import logging
import os
import re
import shutil
import socket
import ssl
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from emulator.control.api.access import is_loopback
from emulator.control.trust import ADDING, REPLACING, TRUSTSTORE_PASSWORD, Trust
from emulator.core.errors import Misconfigured
from emulator.core.fake_files import real_files

if TYPE_CHECKING:
    import trustme
    from cryptography import x509

logger = logging.getLogger("emulator")

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
"""In every certificate, since a server is often reached by another name than the one that it listens on."""

_MISSING = (
    "TLS with a CA of its own needs trustme: pip install 'identity-emulator[tls]'; or give your own certificate, "
    "with --tls-cert and --tls-key"
)

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+?-----END CERTIFICATE-----")


class Certificate(NamedTuple):
    """A certificate of one's own: its chain, and its private key, which may be in the same file. Both in PEM."""

    chain: Path
    key: Path | None = None


class Tls(NamedTuple):
    """What a server needs for TLS, and its clients."""

    context: ssl.SSLContext
    trust: Trust
    folder: Path
    """That of the files."""

    def remove(self) -> None:
        with real_files():
            shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def prepared(hosts: Sequence[str], own: Certificate | None = None) -> Iterator[Tls]:
    """TLS for a server on these hosts; the files for its clients are removed after the block. Raises Misconfigured."""
    with real_files():
        context = _server_context()
        ca = _load(context, own) if own else _issued(context, hosts)
        folder = Path(tempfile.mkdtemp(prefix="identity-emulator-"))
        try:
            made = Tls(context, _written(folder, ca), folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    try:
        yield made
    finally:
        made.remove()


def _server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = _Connection
    return context


# --- certificates -----------------------------------------------------------------------------------------------------


def _issued(context: ssl.SSLContext, hosts: Iterable[str]) -> str:
    """Have a new CA issue a certificate for these hosts; the CA's certificate. Raises Misconfigured."""
    try:
        import trustme
    except ImportError:
        raise Misconfigured(_MISSING) from None
    ca = trustme.CA()
    certificate = _certificate(ca, hosts)
    certificate.configure_cert(context)
    return ca.cert_pem.bytes().decode()


def _certificate(ca: "trustme.CA", hosts: Iterable[str]) -> "trustme.LeafCert":
    """Raises Misconfigured."""
    names = list(dict.fromkeys([*_LOCAL_NAMES, *map(_name, hosts), *_names_of_machine(hosts)]))
    try:
        return ca.issue_cert(*filter(None, names))
    except (ValueError, UnicodeError) as error:
        raise Misconfigured(f"no certificate can be made for {', '.join(hosts)}: {error}") from None


def _name(host: str) -> str:
    """As a certificate names it; empty for an address that stands for all addresses."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host
    return "" if address.is_unspecified else str(address)


def _names_of_machine(hosts: Iterable[str]) -> list[str]:
    """What other machines may call this one, in a container the name of the container."""
    name = socket.gethostname()
    public = not all(map(is_loopback, hosts))
    return [name] if public and re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", name) else []


def _load(context: ssl.SSLContext, own: Certificate) -> str:
    """Load a certificate of one's own; all certificates of its file. Raises Misconfigured."""
    named = f"--tls-cert {own.chain}" + (f" and --tls-key {own.key}" if own.key else "")
    try:
        context.load_cert_chain(own.chain, own.key, _no_password)
        found = certificates_in(own.chain.read_text("utf-8", "replace"))
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise Misconfigured(f"{named}: {_why_not_loaded(error)}") from None
    return "".join(f"{each}\n" for each in found)


def _no_password() -> str:
    """OpenSSL would ask for one at the terminal."""
    raise ValueError("the key has a password; give one without")


def _why_not_loaded(error: OSError | ValueError) -> str:
    reason = getattr(error, "reason", None)
    if not isinstance(error, ssl.SSLError):
        return getattr(error, "strerror", None) or str(error)
    return _NOT_LOADED.get(reason or "", f"{reason or error}; both must be PEM files, the key one without a password")


_NOT_LOADED = {
    "KEY_VALUES_MISMATCH": "the key is that of another certificate",
    "EE_KEY_TOO_SMALL": "the key is too short; OpenSSL refuses it",
}
"""What to do, by OpenSSL's reason."""


# --- the files for clients --------------------------------------------------------------------------------------------


def _written(folder: Path, ca: str) -> Trust:
    known = list(dict.fromkeys([*_known_cas(), *certificates_in(ca)]))
    extra = [*_in_file(os.environ.get(ADDING, "")), *certificates_in(ca)]
    return Trust(
        ca=ca,
        ca_file=_pem_file(folder / "ca.pem", certificates_in(ca)),
        extra_file=_pem_file(folder / "ca-extra.pem", extra),
        bundle_file=_pem_file(folder / "ca-bundle.pem", known),
        truststore_file=_truststore(folder / "truststore.p12", known),
    )


def _pem_file(path: Path, certificates: Iterable[str]) -> Path:
    path.write_text("".join(f"{each}\n" for each in dict.fromkeys(certificates)), "ascii")
    return path


def certificates_in(text: str) -> list[str]:
    """The certificates of a PEM file, without what else is in it: comments, private keys."""
    return [found[0].replace("\r\n", "\n") for found in _CERTIFICATE.finditer(text)]


def _known_cas() -> list[str]:
    """The CAs that clients here know: the system's, those that variables name, and certifi's, which requests has."""
    files = [os.environ.get(name, "") for name in REPLACING]
    with suppress(ImportError):
        import certifi

        files.append(certifi.where())
    return [*_system_cas(), *(each for file in files for each in _in_file(file))]


def _system_cas() -> list[str]:
    if sys.platform == "win32":
        found = [each for store in ("ROOT", "CA") for each in ssl.enum_certificates(store)]
        return [ssl.DER_cert_to_PEM_cert(data).strip() for data, encoding, _ in found if encoding == "x509_asn"]
    paths = ssl.get_default_verify_paths()  # with SSL_CERT_FILE and SSL_CERT_DIR
    if paths.cafile is not None:
        return _in_file(paths.cafile)
    if paths.capath is not None:
        return _in_folder(Path(paths.capath))
    return _in_file("/etc/ssl/cert.pem")  # macOS


def _in_folder(folder: Path) -> list[str]:
    with suppress(OSError):
        return [each for file in sorted(folder.iterdir()) for each in _in_file(str(file))]
    return []


def _in_file(path: str) -> list[str]:
    """None of what can't be read: then its client can't read it either."""
    if path and Path(path).is_file():
        with suppress(OSError):
            return certificates_in(Path(path).read_text("utf-8", "replace"))
    return []


def _truststore(path: Path, certificates: Iterable[str]) -> Path | None:
    """None where cryptography is older than 45, which can't write one."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    if not hasattr(pkcs12, "serialize_java_truststore"):
        return None
    entries = [
        pkcs12.PKCS12Certificate(each, b"ca-%d" % number) for number, each in enumerate(_parsed(certificates), start=1)
    ]
    encryption = BestAvailableEncryption(TRUSTSTORE_PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_java_truststore(entries, encryption))
    return path


def _parsed(certificates: Iterable[str]) -> Iterator["x509.Certificate"]:
    """Without those of the system that are not valid, as clients do."""
    from cryptography.x509 import load_pem_x509_certificate

    for each in certificates:
        with suppress(ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield load_pem_x509_certificate(each.encode())


# --- what a failed handshake says -------------------------------------------------------------------------------------

_UNTRUSTED = (
    "the client does not trust the emulator's CA: give it the variables of `env()`, or the CA file, before it starts"
)
_FAILED = {
    "HTTP_REQUEST": "the client sent plain HTTP to the port for TLS: use its https:// URL, or the other port",
    "TLSV1_ALERT_UNKNOWN_CA": _UNTRUSTED,
    "SSLV3_ALERT_BAD_CERTIFICATE": _UNTRUSTED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": f"{_UNTRUSTED}; or the certificate does not have the name that it connects to",
}
"""What to do, by OpenSSL's reason."""


class _Connection(ssl.SSLObject):
    """Logs why a handshake failed, which asyncio does not."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            logger.warning("no TLS connection: %s", _FAILED.get(error.reason or "", error.reason or "it was closed"))
            raise
