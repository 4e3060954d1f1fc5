"""The rules that recorded cases show, by what was asked and what came back: the first that fits is the case's own."""

import re
from typing import NamedTuple

from emulator.conformance.cases import Case


class Rule(NamedTuple):
    group: str
    text: str
    request: bytes = b""
    """A pattern that the request, or the name of its row before it, has; empty for any."""
    response: bytes = b""

    def fits(self, case: Case) -> bool:
        asked = b"%b\n%b" % (case.name.encode(), case.request)
        return bool(_has(self.request, asked) and _has(self.response, case.response))


def _has(pattern: bytes, text: bytes) -> re.Match[bytes] | None:
    return re.search(pattern, text, re.DOTALL)


_TEXT = rb"\r\n\r\n(?:Invalid token: |TokenError\(Error\()"
_JSON = _TEXT + rb"(?:JSON error: |Json\(Error\(\")"
_SOCKET = rb"\n\w+ /v1/database/[^ ]*/subscribe[ ?]"
_UNKNOWN = rb"\n\w+ /v1/database/(nowhere|no-such-db|ping|[0-9a-f]{64})[/ ?]"
_DATABASE = rb"\n\w+ /v1/database[/ ?]"
_IN_PATH = rb"\n\w+ /v1/identity/[^/ ]*/"

NOT_CHOSEN = Rule("", "", rb"\n\w+ /(v1/(database|energy|metrics|prometheus|mcp)|internal|database)[/ ?]")
"""What needs a database, or is no part of the emulated APIs."""

RULES = (
    Rule("connections", "requests on one connection get their responses in order", response=rb".HTTP/1\.[01] \d{3} "),
    Rule("connections", "a target of 65,535 bytes or more gets 414", response=rb"\A\S+ 414\b"),
    Rule("connections", "more than 100 headers, or one with a huge name, get 431", response=rb"\A\S+ 431\b"),
    Rule(
        "connections",
        "what can't be parsed gets an empty 400 and the end of the connection",
        response=rb"\A\S+ 400\b[^\r]*\r\nconnection: close\r\ncontent-length: 0\r\n",
    ),
    Rule("connections", "what is no request, or none yet, gets nothing", response=rb"\A\Z"),
    Rule("connections", "HTTP/1.0 is answered as HTTP/1.0", response=rb"\AHTTP/1\.0 "),
    Rule("connections", "`connection` has its place in the head", response=rb"\r\nconnection: (close|keep-alive)\r\n"),
    Rule(
        "connections",
        "a body that nobody reads is skipped, or ends the connection",
        rb"\n\w+ (?!/v1/database)[^\n]*\n.*\r\n(Content-Length|Transfer-Encoding|Expect):",
    ),
    Rule("connections", "the target can have any form", rb"\n\w+ http"),
    Rule("connections", "odd but valid heads are accepted", rb"\Ahttp"),
    Rule(
        "CORS",
        "OPTIONS of a path that exists is a preflight request, whatever else is wrong",
        rb"\nOPTIONS ",
        rb"\A\S+ 200\b",
    ),
    Rule("CORS", "OPTIONS of an unknown path is an empty 404", rb"\nOPTIONS ", rb"\A\S+ 404\b"),
    Rule("CORS", "an Origin changes nothing", rb"\r\nOrigin:"),
    Rule(
        "handshake",
        "credentials come before everything else",
        _SOCKET,
        rb"\A\S+ (401|400)\b[^\n]*\n.*\r\n\r\n(Invalid token|TokenError|Authorization)",
    ),
    Rule("handshake", "methods other than GET are 405", _SOCKET, rb"\A\S+ 405\b"),
    Rule("handshake", "the name of the database is judged before the upgrade", _SOCKET, rb"\r\n\r\nInvalid URL: "),
    Rule(
        "handshake",
        "the query is read from left to right, and the first fault is told",
        _SOCKET,
        rb"\r\n\r\nFailed to deserialize query string",
    ),
    Rule(
        "handshake",
        "without `Connection: Upgrade` and exactly `Upgrade: websocket` it is 426",
        _SOCKET,
        rb"\A\S+ 426\b",
    ),
    Rule("handshake", "`Sec-WebSocket-Version` is exactly 13", _SOCKET, rb"-Version` header did not"),
    Rule("handshake", "`Sec-WebSocket-Key` must be there", _SOCKET, rb"-Key` header missing"),
    Rule("handshake", "a connection id of zeros is reserved", _SOCKET, rb"all-zeros"),
    Rule("handshake", "a database that is not there comes before the subprotocol", _SOCKET, rb"\A\S+ (404|500)\b"),
    Rule("handshake", "one of the server's subprotocols must be offered, exactly", _SOCKET, rb"no valid protocol"),
    Rule(
        "handshake",
        "of several subprotocols the first of the server's is chosen",
        rb"\A[^\n]*: protocol ",
        rb"\A\S+ 101\b",
    ),
    Rule("handshake", "the head of a 101, with the server's own choice of subprotocol", _SOCKET, rb"\A\S+ 101\b"),
    Rule(
        "databases",
        "invalid credentials come before everything else",
        _DATABASE,
        rb"\r\n\r\n(Invalid token|TokenError|Authorization)|\A\S+ 401\b",
    ),
    Rule("databases", "a name that can be none is refused by its first fault", _DATABASE, rb"\r\n\r\nInvalid URL: "),
    Rule("databases", "an unknown name is a 404 with it", _UNKNOWN, rb"\r\n\r\n(`[^`]+` not found|Could not resolve)"),
    Rule("databases", "an unknown identity is a 404 with another text", _UNKNOWN, rb"No such database\."),
    Rule(
        "databases",
        "an identity stands for itself, whether a database has it or not",
        _UNKNOWN,
        rb"\A\S+ 200\b.*\r\n\r\n[0-9a-f]{64}\Z",
    ),
    Rule(
        "databases",
        "other methods are 405, after the credentials",
        _UNKNOWN + rb"|\n\w+ /v1/database[ ?]",
        rb"\A\S+ 405\b",
    ),
    Rule(
        "databases",
        "an unknown path below a database is an empty 404",
        _DATABASE,
        rb"\A\S+ 404\b[^\n]*\ncontent-length: 0\r\n",
    ),
    NOT_CHOSEN,
    Rule("methods", "a method that a path does not have is 405, with `allow`", response=rb"\A\S+ 405\b"),
    Rule("paths", "an unknown path is an empty 404 without CORS", response=rb"\A\S+ 404\b"),
    Rule(
        "identities in paths",
        "a combining mark is told by its number",
        _IN_PATH,
        rb"Invalid URL: invalid value: string \"[^\r]*\\u\{(301|e34)\}",
    ),
    Rule(
        "identities in paths",
        "what is not hex is told as it was decoded, escaped like Rust does",
        _IN_PATH,
        rb"Invalid URL: invalid value",
    ),
    Rule("identities in paths", "hex of a wrong length is told by its length", _IN_PATH, rb"Invalid URL: too "),
    Rule("identities in paths", "escapes that are no UTF-8 are told", _IN_PATH, rb"Invalid URL: Invalid UTF-8"),
    Rule("credentials", "Basic is no scheme of the server", rb"\r\nAuthorization: Basic ", rb"\A\S+ 400\b"),
    Rule(
        "credentials",
        "a scheme that is not Bearer is 400, a good query or not",
        response=rb"\r\n\r\nAuthorization is invalid",
    ),
    Rule(
        "credentials",
        "without credentials, or with `token` twice, it is 401",
        response=rb"\r\n\r\nAuthorization required",
    ),
    Rule(
        "two faults",
        "of the faults of a token the first in the release's order is told",
        rb"\A[^\n]* \+ |\A[^\n]*(expired (wrong key|foreign)|alg RS256 sig text)",
    ),
    Rule("expiry", "what a negative `exp` means", rb"\Aexp i64 min"),
    Rule("signatures", "the server's key is for ES256 alone", rb"\A[^\n]*alg (RS256|HS256)"),
    Rule("expiry", "an expired token is told so", response=_TEXT + rb"ExpiredSignature"),
    Rule("expiry", "a token is accepted for 60 s after its `exp`", rb"\A[^\n]*\bexp\b", rb"\A\S+ 20[04]\b"),
    Rule(
        "signatures",
        "another key, or a signature of another text, is InvalidSignature",
        response=_TEXT + rb"InvalidSignature",
    ),
    Rule("signatures", "an `alg` that is not allowed is InvalidAlgorithm", response=_TEXT + rb"InvalidAlgorithm"),
    Rule(
        "issuers",
        "another issuer's keys are asked for, and it can't be reached",
        response=rb"\r\n\r\n(Other\()?Error fetching",
    ),
    Rule("segments", "a token has three segments", response=_TEXT + rb"InvalidToken"),
    Rule(
        "segments",
        "a segment is base64url without padding, and the first fault is told by its place",
        response=_TEXT + rb"Base64",
    ),
    Rule(
        "numbers",
        "a number in a token is kept, or told, as it is written",
        rb"\Anumbers",
        rb"(floating point|integer|number)",
    ),
    Rule("headers of tokens", "members of the header have types", rb"\A[^\n]*(hdr|header|alg|jwk)", _JSON),
    Rule(
        "headers of tokens",
        "members of the header have types",
        response=_JSON + rb"[^\r]*(struct Header|struct Jwk|RS256|AlgorithmParameters)",
    ),
    Rule("headers of tokens", "what is not known in a header is skipped", rb"\A[^\n]*(hdr|header|alg|jwk)"),
    Rule("claims", "a claim is there, and once", response=_JSON + rb"(missing|duplicate) field"),
    Rule("claims", "a claim has its type", response=_JSON + rb"(invalid type|data did not match)"),
    Rule("claims", "a claim has its range", response=_JSON + rb"(invalid value|too )"),
    Rule("claims", "the payload is JSON, and its first fault is told by line and column", response=_JSON),
    Rule("claims", "subject and issuer have 1 to 128 bytes", response=rb"\r\n\r\n(Other\()?(Subject|Issuer) "),
    Rule("claims", "`hex_identity` is that of issuer and subject", response=rb"\r\n\r\n(Other\()?Identity mismatch"),
    Rule(
        "websocket tokens",
        "claims are kept, `iat` and `exp` are new",
        rb"\nPOST /v1/identity/websocket-token[ ?]",
        rb"\A\S+ 200\b",
    ),
    Rule(
        "new identities",
        "an identity and a token of its own, whatever was sent",
        rb"\nPOST /v1/identity[ ?]",
        rb"\A\S+ 200\b",
    ),
    Rule("verify", "a token of the identity is 204", _IN_PATH + rb"verify", rb"\A\S+ 204\b"),
    Rule("verify", "a token of another identity is an empty 400", _IN_PATH + rb"verify", rb"\A\S+ 400\b"),
    Rule("public key", "the PEM file as it is", rb"/public-key[ ?]", rb"\A\S+ 200\b"),
    Rule(
        "databases of an identity",
        "nobody needs credentials, and an unknown identity has none",
        _IN_PATH + rb"databases",
    ),
    Rule("health", "the version and the state of the server", rb"/v1/health", rb"\A\S+ 200\b"),
    Rule("ping", "credentials are optional, but judged", rb"/v1/ping"),
    Rule("others", "HEAD has the head of GET, and no body", rb"\nHEAD "),
)
"""From the top: what a server does first comes first."""


def rule_of(case: Case) -> Rule | None:
    """None for a case that is not chosen."""
    rule = next((rule for rule in RULES if rule.fits(case)), NOT_CHOSEN)
    return None if rule is NOT_CHOSEN else rule
