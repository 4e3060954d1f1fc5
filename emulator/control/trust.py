"""How clients verify an emulator over TLS: its CA, and the files that name it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

CA_FILE, TRUSTSTORE = "IDENTITY_EMULATOR_CA_FILE", "IDENTITY_EMULATOR_TRUSTSTORE"

TRUSTSTORE_PASSWORD = "changeit"  # noqa: S105 - Java's own; there is nothing secret in a truststore

REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that replace the CAs a client knows: OpenSSL, Go, Python, Ruby, .NET; requests; requests and curl."""
ADDING = "NODE_EXTRA_CA_CERTS"
"""Node's, which adds to the CAs it knows."""


@dataclass(frozen=True)
class Trust:
    """What verifies a server's certificate. The files are there until the server has stopped."""

    ca: str
    """The CA's certificate in PEM; of a certificate of one's own, all that is in its file."""
    ca_file: Path
    """`ca` alone."""
    extra_file: Path
    """What `NODE_EXTRA_CA_CERTS` named before, and `ca`."""
    bundle_file: Path
    """The system's CAs, and `ca`."""
    truststore_file: Path | None
    """The same as PKCS12 for Java, with Java's usual password; None where cryptography is older than 45."""

    def env(self) -> dict[str, str]:
        """The variables with which clients that are started afterwards trust the server, and all that they did before.

        curl reads `CURL_CA_BUNDLE` first, so it is replaced where it is set.
        """
        replaced = [name for name in REPLACING if name != "CURL_CA_BUNDLE" or os.environ.get(name)]
        return {
            ADDING: str(self.extra_file),
            **dict.fromkeys(replaced, str(self.bundle_file)),
            CA_FILE: str(self.ca_file),
            **({} if self.truststore_file is None else {TRUSTSTORE: str(self.truststore_file)}),
        }


def client_context(trust: Trust | None) -> "ssl.SSLContext":
    """A context for clients in this process, which trusts the system's CAs too. It verifies names and certificates."""
    import ssl

    context = ssl.create_default_context()
    if trust is not None:
        context.load_verify_locations(cadata=trust.ca)
    return context
