"""What a test may notice when its server goes from 2.8 to 2.14: each line of the table in docs/fidelity.md."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import requests

from emulator import Emulator
from emulator.services.rust import base64url
from emulator.services.spacetimedb.signing_keys import SigningKey
from tests.project.import_rules import ROOT
from tests.raw import exchange, request
from tests.waiting import PATIENCE

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
OTHER_KEY = SigningKey.from_entropy(b"a key this emulator never had")
ES256 = {"typ": "JWT", "alg": "ES256"}
ACCEPTED = "accepted"
EXPIRED = "Invalid token: ExpiredSignature"
FORGED = "Invalid token: InvalidSignature"
NOT_ALLOWED = "Invalid token: InvalidAlgorithm"
UNREACHABLE = "Error fetching public key for issuer "
FOREIGN = "https://auth.example.com"
LONG = "a" * 129


class Server:
    """A profile, at a frozen moment."""

    def __init__(self, emulator: Emulator, profile: str) -> None:
        emulator.reset(spacetime_profile=profile)
        emulator.clock.freeze(NOW)
        self.emulator, self.profile = emulator, profile

    def new_token(self) -> str:
        token: str = requests.post(f"{self.emulator.url}/v1/identity", timeout=PATIENCE).json()["token"]
        return token

    def signed(self, header: Any = None, **changes: Any) -> str:
        """A token of any header; a claim that is None is left out."""
        claims = {"sub": "alice", "iss": "localhost", "iat": SECONDS} | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return self.emulator.spacetime.sign(kept, header or ES256)

    def said(self, token: str) -> str:
        """The text of the refusal."""
        answer = requests.post(
            f"{self.emulator.url}/v1/identity/websocket-token",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
        )
        return ACCEPTED if answer.status_code == 200 else answer.text


def in_both(emulator: Emulator, ask: Any) -> tuple[Any, Any]:
    """What `ask(server)` returns on 2.8, and on 2.14."""
    return ask(Server(emulator, "v2.8")), ask(Server(emulator, "v2.14"))


# --- minting ----------------------------------------------------------------------------------------------------------


def test_a_new_identitys_token_has_no_exp_instead_of_null(session_emulator: Emulator) -> None:
    def exp(server: Server) -> object:
        claims = jwt.decode(server.new_token(), options={"verify_signature": False})
        return claims.get("exp", "none")

    assert in_both(session_emulator, exp) == (None, "none")


def test_pyjwt_takes_a_new_identitys_token(session_emulator: Emulator) -> None:
    def verified(server: Server) -> str:
        pem = requests.get(f"{server.emulator.url}/v1/identity/public-key", timeout=PATIENCE).text
        try:
            return str(
                jwt.decode(server.emulator.spacetime.issue_token(subject="alice"), pem, ["ES256"], **READ)["sub"]
            )
        except (jwt.DecodeError, TypeError) as error:  # TypeError of an old PyJWT
            return type(error).__name__

    refused, taken = in_both(session_emulator, verified)
    assert refused in {"DecodeError", "TypeError"}
    assert taken == "alice"


READ: Mapping[str, Any] = {"audience": "spacetimedb", "options": {"verify_iat": False}}


def test_the_answer_to_a_new_identity_is_15_bytes_shorter(session_emulator: Emulator) -> None:
    def length(server: Server) -> str | None:
        return exchange(server.emulator.url, request("POST", "/v1/identity")).header("content-length")

    assert in_both(session_emulator, length) == ("476", "461")


def test_two_exchanges_within_a_second_give_the_same_token(session_emulator: Emulator) -> None:
    server = Server(session_emulator, "v2.14")
    token = server.emulator.spacetime.issue_token(subject="alice")
    url, headers = f"{server.emulator.url}/v1/identity/websocket-token", {"Authorization": f"Bearer {token}"}

    first, second = (requests.post(url, headers=headers, timeout=PATIENCE).content for _ in range(2))

    assert first == second


# --- expiry -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("micros", "expected"),
    [
        (60_000_000, (ACCEPTED, ACCEPTED)),
        (60_000_001, (ACCEPTED, EXPIRED)),
        (60_500_000, (ACCEPTED, EXPIRED)),
        (60_999_999, (ACCEPTED, EXPIRED)),
        (61_000_000, (EXPIRED, EXPIRED)),
    ],
)
def test_a_token_is_refused_as_soon_as_it_is_more_than_60_s_over(
    session_emulator: Emulator, micros: int, expected: tuple[str, str]
) -> None:
    def said(server: Server) -> str:
        token = server.signed(exp=SECONDS)
        assert server.said(token) == ACCEPTED
        server.emulator.clock.advance(micros / 1_000_000)
        return server.said(token)

    assert in_both(session_emulator, said) == expected


@pytest.mark.parametrize("exp", [-1, -(2**63)])
def test_a_negative_exp_is_expired(session_emulator: Emulator, exp: int) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed(exp=exp))) == (ACCEPTED, EXPIRED)


def test_a_huge_exp_is_still_accepted(session_emulator: Emulator) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed(exp=2**63 - 1))) == (ACCEPTED, ACCEPTED)


def test_a_websocket_token_lives_until_60_s_after_its_exp(session_emulator: Emulator) -> None:
    server = Server(session_emulator, "v2.14")
    server.emulator.clock.freeze("2026-11-26T12:00:00.5Z")  # iat is rounded up to :01, so exp is 12:01:01
    token = server.emulator.spacetime.issue_token(subject="alice", expires_in=60)
    server.emulator.clock.freeze("2026-11-26T12:02:01Z")
    assert server.said(token) == ACCEPTED

    server.emulator.clock.advance(0.000_001)

    assert server.said(token) == EXPIRED


# --- expired with another fault: expiry is now the weakest -----------------------------------------------------------


def test_an_expired_token_with_a_wrong_signature_is_first_of_all_forged(session_emulator: Emulator) -> None:
    def said(server: Server) -> str:
        header, payload, _ = server.signed(exp=1).split(".")
        other = OTHER_KEY.sign_token(header, base64url.decode(payload))
        return server.said(other)

    assert in_both(session_emulator, said) == (EXPIRED, FORGED)


def test_an_expired_token_whose_signature_is_not_base64url_says_so(session_emulator: Emulator) -> None:
    def said(server: Server) -> str:
        return server.said(server.signed(exp=1).rpartition(".")[0] + ".****")

    assert in_both(session_emulator, said) == (EXPIRED, "Invalid token: Base64 error: Invalid symbol 42, offset 0.")


@pytest.mark.parametrize("alg", ["RS256", "HS256", "ES384"])
def test_an_expired_token_of_another_algorithm_says_so(session_emulator: Emulator, alg: str) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed({"alg": alg}, exp=1))) == (
        EXPIRED,
        NOT_ALLOWED,
    )


@pytest.mark.parametrize("issuer", [FOREIGN, "", LONG])
def test_an_expired_token_of_a_foreign_issuer_makes_the_server_ask_it(session_emulator: Emulator, issuer: str) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed(exp=1, iss=issuer))) == (
        EXPIRED,
        f"{UNREACHABLE}{issuer}",
    )


@pytest.mark.parametrize("claims", [{"sub": LONG}, {"sub": ""}, {"hex_identity": "0" * 64}])
def test_an_expired_token_of_somebody_impossible_is_still_expired(
    session_emulator: Emulator, claims: dict[str, Any]
) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed(exp=1, **claims))) == (EXPIRED, EXPIRED)


def test_an_expired_token_without_sub_still_misses_it(session_emulator: Emulator) -> None:
    missing = "Invalid token: JSON error: missing field `sub` at line 1 column 44"

    assert in_both(session_emulator, lambda server: server.said(server.signed(exp=1, sub=None))) == (missing, missing)


# --- algorithms and headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["RS256", "HS256"])
def test_another_familys_algorithm_is_not_allowed_any_more(session_emulator: Emulator, alg: str) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed({"alg": alg}))) == (FORGED, NOT_ALLOWED)


def test_the_signature_of_rs256_is_not_decoded_any_more(session_emulator: Emulator) -> None:
    def said(server: Server) -> str:
        return server.said(server.signed({"alg": "RS256"}).rpartition(".")[0] + ".****")

    assert in_both(session_emulator, said) == ("Invalid token: Base64 error: Invalid symbol 42, offset 0.", NOT_ALLOWED)


JSON = "Invalid token: JSON error: "


@pytest.mark.parametrize(
    ("header", "before", "after"),
    [
        (
            ["JWT", "ES256"],
            f"{JSON}invalid length 2, expected struct Header with 10 elements at line 1 column 15",
            f"{JSON}invalid type: sequence, expected struct Header at line 1 column 0",
        ),
        (
            {"alg": "ES256", "crit": "exp"},
            ACCEPTED,
            f'{JSON}invalid type: string "exp", expected a sequence at line 1 column 27',
        ),
        (
            {"alg": "ES256", "crit": [1]},
            ACCEPTED,
            f"{JSON}invalid type: integer `1`, expected a string at line 1 column 24",
        ),
        *(
            (
                {"alg": "ES256", name: 5},
                ACCEPTED,
                f"{JSON}invalid type: integer `5`, expected a string at line 1 column {19 + len(name)}",
            )
            for name in ("enc", "zip", "url", "nonce")
        ),
        ({"alg": "ES256", "crit": ["exp"], "enc": "foo", "url": None, "b64": False}, ACCEPTED, ACCEPTED),
        (
            {"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256"}},
            f"{JSON}data did not match any variant of untagged enum AlgorithmParameters at line 1 column 47",
            ACCEPTED,
        ),
        (
            {"alg": "ES256", "jwk": {"kty": "oct", "k": "AA", "alg": "ES512"}},
            f"{JSON}unknown variant `ES512`, expected one of `HS256`, `HS384`, `HS512`, `ES256`, `ES384`, `RS256`, "
            "`RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `EdDSA`, `RSA1_5`, `RSA-OAEP`, `RSA-OAEP-256` "
            "at line 1 column 57",
            ACCEPTED,
        ),
        (
            {"alg": "ES256", "jwk": "x"},
            f'{JSON}invalid type: string "x", expected struct Jwk at line 1 column 24',
            f'{JSON}invalid type: string "x", expected struct Jwk at line 1 column 24',
        ),
        ({"alg": "ES256", "other": 10**29}, ACCEPTED, ACCEPTED),
    ],
    ids=str,
)
def test_other_members_of_the_header_are_read(session_emulator: Emulator, header: Any, before: str, after: str) -> None:
    assert in_both(session_emulator, lambda server: server.said(server.signed(header))) == (before, after)


def test_an_unknown_member_of_the_header_must_fit_a_double(session_emulator: Emulator) -> None:
    def said(server: Server) -> str:
        payload = base64url.decode(server.signed().split(".")[1])
        header = base64url.encode(b'{"alg":"ES256","x":1e999}')
        return server.said(f"{header}.{base64url.encode(payload)}.")

    assert in_both(session_emulator, said) == (FORGED, f"{JSON}number out of range at line 1 column 24")


@pytest.mark.parametrize("nbf", [[1], {"a": 1}])
def test_nbf_as_a_list_or_an_object_is_still_a_syntax_error(session_emulator: Emulator, nbf: Any) -> None:
    expected = f"{JSON}expected `,` or `}}` at line 1 column 58"

    assert in_both(session_emulator, lambda server: server.said(server.signed(nbf=nbf))) == (expected, expected)


# --- the HTTP layer ---------------------------------------------------------------------------------------------------


def test_a_preflight_allows_two_headers_more(session_emulator: Emulator) -> None:
    def allowed(server: Server) -> str | None:
        answer = exchange(server.emulator.url, request("OPTIONS", "/v1/identity"))
        return answer.header("access-control-allow-headers")

    assert in_both(session_emulator, allowed) == (
        "authorization,accept,content-type",
        "authorization,accept,content-type,spacetime-environment,spacetime-environment-remove",
    )


def test_health_says_the_version(session_emulator: Emulator) -> None:
    def version(server: Server) -> object:
        return requests.get(f"{server.emulator.url}/v1/health", timeout=PATIENCE).json()["version"]

    assert in_both(session_emulator, version) == ("2.8.3", "2.14.0")


# --- the page ---------------------------------------------------------------------------------------------------------


def test_documented_has_the_newest_rules_where_the_page_is_silent(session_emulator: Emulator) -> None:
    server = Server(session_emulator, "documented")

    assert "exp" not in jwt.decode(server.new_token(), options={"verify_signature": False})
    assert server.said(server.signed({"alg": "HS256"})) == NOT_ALLOWED
    assert server.said(server.signed(exp=-1)) == EXPIRED


def test_the_section_of_fidelity_md_has_a_line_for_each_kind_of_test_here() -> None:
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    section = page.partition("### Upgrading from 2.8 to 2.14")[2].partition("\n## ")[0]

    assert section.count("\n| ") - 2 == 18
