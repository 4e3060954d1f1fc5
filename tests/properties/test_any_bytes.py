"""Whatever is sent, the answer is a refusal or a success: never a 500, never a hang."""

from base64 import b64encode

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.services.rust import base64url
from tests.conftest import API_KEY
from tests.raw import exchange, request

any_bytes = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

# What can stand in a header value or a target at all: the parser refuses the rest.
in_a_header = st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n\0").decode("latin-1"))
in_a_target = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
escaped = st.binary(max_size=20).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
nearly_json = st.text(alphabet='{}[]",:\\u0019 \n.eE+-truefalsn', max_size=30).map(str.encode)
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
routes = st.sampled_from(
    [
        "/v1/identity",
        "/v1/identity/websocket-token",
        "/v1/identity/{}/verify",
        "/v1/identity/{}/set-email",
        "/v1/identity/{}/databases",
        "/v1/ping",
        "/identity",
        "/identity/{}",
        "/identities/{}",
        "/_emulator/{}",
        "/{}",
    ]
)


def assert_answered(emulator: Emulator, sent: bytes) -> None:
    assert 200 <= exchange(emulator.url, sent).status < 500


@any_bytes
@given(methods, routes, in_a_target | escaped, in_a_target | escaped)
def test_any_target(emulator: Emulator, method: str, route: str, segment: str, query: str) -> None:
    assert_answered(emulator, request(method, f"{route.format(segment)}?{query}"))


@any_bytes
@given(st.sampled_from(["", "Bearer ", "Basic ", "bearer  "]), in_a_header)
def test_any_authorization(emulator: Emulator, scheme: str, rest: str) -> None:
    for target in ("/v1/identity/websocket-token", "/v1/ping", "/identity/1"):
        assert_answered(emulator, request("POST", target, f"Authorization: {scheme}{rest}"))


@any_bytes
@given(st.binary(max_size=60).map(lambda raw: b64encode(b"token:" + raw).decode()))
def test_any_basic_token(emulator: Emulator, token: str) -> None:
    assert_answered(emulator, request("POST", "/v1/identity/websocket-token", f"Authorization: Basic {token}"))


@any_bytes
@given(st.lists(st.binary(max_size=40) | nearly_json, min_size=3, max_size=3))
def test_any_token_of_three_parts(emulator: Emulator, parts: list[bytes]) -> None:
    for first in (parts[0], b'{"alg":"ES256"}'):
        token = ".".join(map(base64url.encode, [first, *parts[1:]]))
        assert_answered(emulator, request("GET", f"/v1/ping?token={token}"))


@any_bytes
@given(
    st.dictionaries(
        st.sampled_from(["sub", "iss", "aud", "iat", "exp", "hex_identity", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.integers()),
    )
)
def test_any_claims(emulator: Emulator, claims: dict[str, object]) -> None:
    token = emulator.spacetime.sign(claims, {"alg": "ES256"})
    assert_answered(emulator, request("POST", "/v1/identity/websocket-token", f"Authorization: Bearer {token}"))


@any_bytes
@given(st.binary(max_size=200) | nearly_json, in_a_header)
def test_any_body(emulator: Emulator, body: bytes, content_type: str) -> None:
    for kind in ("application/json", content_type):
        headers = (f"x-api-key: {API_KEY}", f"Content-Type: {kind}")
        assert_answered(emulator, request("POST", "/identity", *headers, body=body))
        assert_answered(emulator, request("POST", "/_emulator/reset", f"Content-Type: {kind}", body=body))


@any_bytes
@given(in_a_header)
def test_any_api_key_host_and_origin(emulator: Emulator, value: str) -> None:
    for name in ("x-api-key", "Origin", "X-Emulator-Token", "Expect", "Upgrade"):
        for target in ("/identity/1", "/_emulator/health"):
            assert_answered(emulator, request("GET", target, f"{name}: {value}"))


@any_bytes
@given(st.binary(min_size=1, max_size=120))
def test_any_first_bytes(emulator: Emulator, raw: bytes) -> None:
    """Garbage is refused. Empty lines before a request are not: the parser waits for what comes after them."""
    assume(raw.strip())
    sent = raw.replace(b"\n", b" ").replace(b"\r", b" ") + b"\r\n\r\n"

    assert exchange(emulator.url, sent).status in {400, 404, 405, 431}
