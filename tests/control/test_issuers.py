"""Foreign issuers through both handles, over the control routes, and as everybody may read their documents."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator, running_in_thread, tokens
from emulator.control.issuers import Issuer
from emulator.control.remote import RemoteEmulator
from emulator.core.errors import Misconfigured
from emulator.services.spacetimedb.model import identity_of
from tests.client import steer
from tests.foreign_cases import A, B, Built
from tests.provider import serving_pages
from tests.waiting import PATIENCE

URL, OTHER = "https://auth.example.com", "https://other.example.com"
NOT_FOUND = "Specified key ID not found in JWKs"
OUT_OF_REACH = "Error fetching public key for issuer "
NOW = datetime(2026, 11, 27, tzinfo=UTC)
BROKEN = {"keys": [A.named("a"), {"kty": "XX", "kid": "b"}]}
REFUSED = (ValueError, Misconfigured)
"""What the two handles raise."""


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with running_in_thread(spacetime_profile="v2.14") as emulator:
        yield emulator


@pytest.fixture
def emulator(server: Emulator) -> Emulator:
    server.reset()
    server.clock.freeze(NOW)
    return server


@pytest.fixture(params=["local", "remote"])
def handle(emulator: Emulator, request: pytest.FixtureRequest) -> Emulator:
    return emulator if request.param == "local" else RemoteEmulator(emulator.url)


def text(emulator: Emulator, token: str) -> str:
    """`valid`, or the text of the refusal."""
    response = requests.post(
        f"{emulator.url}/v1/identity/websocket-token", headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE
    )
    return "valid" if response.ok else response.text


def served(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=PATIENCE)


# --- a played one -----------------------------------------------------------------------------------------------------


def test_a_token_of_a_played_issuer_is_valid(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)

    token = auth.issue_token(subject="alice", audience="app", expires_in=60, email="alice@example.com")

    assert text(handle, token) == "valid"
    assert claims_of(token) == {
        "iss": URL,
        "sub": "alice",
        "aud": "app",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "email": "alice@example.com",
    }


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_it_signs_with_the_algorithm_it_is_asked_for(handle: Emulator, algorithm: str) -> None:
    auth = handle.spacetime.issuer(URL)

    assert text(handle, auth.issue_token(subject="alice", algorithm=algorithm)) == "valid"


def test_two_issuers_a_rotation_and_an_outage_play_tick_by_tick(handle: Emulator) -> None:
    """docs/fidelity.md, Issuers: keys are fetched at the first token, and refreshed at every 300 s."""
    auth, other = handle.spacetime.issuer(URL), handle.spacetime.issuer(OTHER, algorithm="RS256")
    plays_tick_by_tick(handle, auth, other, auth.issue_token(subject="alice"), other.issue_token(subject="alice"))


def plays_tick_by_tick(emulator: Emulator, auth: Issuer, other: Issuer, old: str, others: str) -> None:
    """A rotation counts from the next tick on, of an issuer that is down from the first tick after it is up."""
    assert [text(emulator, old), text(emulator, others)] == ["valid", "valid"]

    auth.rotate_key()
    new = auth.issue_token(subject="alice")
    other.down()
    other.rotate_key()
    seen = []
    for seconds in (0, 299, 1, 300):
        emulator.clock.advance(seconds)
        seen.append([text(emulator, each) for each in (old, new, others)])
    assert seen == [["valid", NOT_FOUND, "valid"]] * 2 + [[NOT_FOUND, "valid", "valid"]] * 2

    other.up()
    emulator.clock.advance(299)
    assert text(emulator, others) == "valid"
    emulator.clock.advance(1)
    assert [text(emulator, others), text(emulator, other.issue_token(subject="alice"))] == [NOT_FOUND, "valid"]


def test_keys_of_an_issuer_that_nobody_uses_are_dropped_when_it_is_down(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)
    token = auth.issue_token(subject="alice")
    text(handle, token)
    auth.down()

    handle.clock.advance(14_400)

    assert text(handle, token) == OUT_OF_REACH + URL


def test_an_issuer_with_and_without_a_slash_is_one_provider_and_two_identities(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)
    token = auth.issue_token(subject="alice", iss=f"{URL}/")

    verified = requests.get(
        f"{handle.url}/v1/identity/{identity_of(f'{URL}/', 'alice')}/verify",
        headers={"authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    )

    assert verified.status_code == 204
    assert handle.spacetime.issuers[URL].number == auth.number


def test_a_withdrawn_key_can_still_sign(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)
    auth.rotate_key()

    assert text(handle, auth.issue_token(subject="alice", kid="es256-1")) == NOT_FOUND


def test_a_kept_key_is_published_after_the_new_one(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)

    auth.rotate_key(keep=True)

    assert [each["kid"] for each in auth.jwks["keys"]] == ["es256-2", "es256-1"]


def test_any_header_can_be_said(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)

    token = auth.issue_token(subject="alice", kid=None, headers={"typ": None, "alg": "RS256"})

    assert json.loads(decoded(token.split(".")[0])) == {"alg": "RS256"}


def test_other_keys_can_be_published(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)

    auth.publish([A.named("a"), "es256-1"])

    assert [each["kid"] for each in auth.jwks["keys"]] == ["a", "es256-1"]


@pytest.mark.parametrize("document", ["no JSON", b'{"keys": 5}'])
def test_any_document_can_be_published(handle: Emulator, document: Any) -> None:
    auth = handle.spacetime.issuer(URL)
    auth.publish(document)

    assert text(handle, auth.issue_token(subject="alice")) == OUT_OF_REACH + URL


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"algorithm": "none"}, "algorithm is 'none'; it must be one of ES256, "),
        ({"expires_in": 1e13}, "expires_in is 10000000000000.0; it is up to"),
    ],
)
def test_a_token_that_nobody_can_sign_is_refused(handle: Emulator, wanted: dict[str, Any], why: str) -> None:
    auth = handle.spacetime.issuer(URL)

    with pytest.raises(REFUSED, match=why):
        auth.issue_token(subject="alice", **wanted)


def test_a_claim_that_is_no_json_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match=r"issuer\.issue_token: odd: expected a value of JSON, got an object"):
        emulator.spacetime.issuer(URL).issue_token(subject="alice", odd=object())


# --- keys inline, and one that really runs ----------------------------------------------------------------------------


def test_keys_can_be_given(handle: Emulator) -> None:
    handle.spacetime.issuer(URL, jwks={"keys": [A.named("a")]})

    assert text(handle, Built(claims={"exp": None}).token(URL)) == "valid"


def test_keys_can_be_given_as_a_file(handle: Emulator, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [A.named("a")]}), encoding="utf-8")

    assert handle.spacetime.issuer(URL, jwks=tmp_path / "keys.json").jwks == {"keys": [A.named("a")]}


def test_a_set_that_the_server_refuses_is_refused_with_the_key_that_does_it(handle: Emulator) -> None:
    with pytest.raises(REFUSED, match=r"\(profile v2\.14\) refuses the whole key set .* keys\[1\]: data did not match"):
        handle.spacetime.issuer(URL, jwks=BROKEN)

    assert list(handle.spacetime.issuers) == []


def test_it_is_registered_on_request(handle: Emulator) -> None:
    handle.spacetime.issuer(URL, jwks=BROKEN, accept_as_server=True)

    assert text(handle, Built().token(URL)) == OUT_OF_REACH + URL


def test_of_keys_that_are_given_nobody_can_sign(handle: Emulator) -> None:
    given = handle.spacetime.issuer(URL, jwks={"keys": [A.named("a")]})

    for sign in (lambda: given.issue_token(subject="alice"), given.rotate_key):
        with pytest.raises(REFUSED, match=f"{URL} is inline, so nobody here has its private keys"):
            sign()


def test_a_running_one_is_fetched(handle: Emulator) -> None:
    with serving_pages() as pages:
        url = pages.provider("a", json.dumps({"keys": [A.named("a")]}).encode())
        running = handle.spacetime.issuer(url, fetch=True)

        assert text(handle, Built(claims={"exp": None}).token(url)) == "valid"
        assert running.kind == "fetched"
        with pytest.raises(ValueError, match="is fetched; its own server publishes its keys"):
            _ = running.jwks


@pytest.mark.parametrize(
    ("url", "given", "why"),
    [
        ("auth.example.com", {}, "can't be an issuer: the server fetches keys only from URLs that begin with http"),
        ("", {}, "an issuer is a URL of 1 to 2000 characters"),
        (URL, {"algorithm": "ES1"}, "algorithm is 'ES1'; it must be one of"),
        (URL, {"algorithm": "ES256", "fetch": True}, "an algorithm, or jwks, or fetch=True: only one of them"),
    ],
)
def test_what_is_no_issuer_is_refused(handle: Emulator, url: str, given: dict[str, Any], why: str) -> None:
    with pytest.raises(REFUSED, match=why):
        handle.spacetime.issuer(url, **given)


def test_nobody_is_registered_twice(handle: Emulator) -> None:
    handle.spacetime.issuer(URL)

    with pytest.raises(REFUSED, match=f"the issuer {URL} is registered already"):
        handle.spacetime.issuer(f"{URL}/")


# --- their place in the world -----------------------------------------------------------------------------------------


def test_without_a_url_it_is_where_its_documents_are_served(handle: Emulator) -> None:
    auth = handle.spacetime.issuer()

    discovery = served(f"{auth.url}/.well-known/openid-configuration").json()
    assert auth.url == discovery["issuer"] == f"{handle.url}/_emulator/issuers/1"
    assert served(discovery["jwks_uri"]).json() == auth.jwks
    assert text(handle, auth.issue_token(subject="alice")) == "valid"


def test_a_reset_removes_those_of_a_test(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)

    handle.reset()

    assert list(handle.spacetime.issuers) == []
    with pytest.raises((LookupError, Misconfigured), match=r"not registered in this world|there is no issuer"):
        auth.issue_token(subject="alice")


def test_a_removed_one_is_forgotten_with_its_keys(handle: Emulator) -> None:
    auth = handle.spacetime.issuer(URL)
    token = auth.issue_token(subject="alice")
    text(handle, token)

    auth.remove()

    assert text(handle, token) == OUT_OF_REACH + URL


def test_a_number_is_never_given_twice(handle: Emulator) -> None:
    first, second = handle.spacetime.issuer(URL), handle.spacetime.issuer(OTHER)
    first.remove()

    third = handle.spacetime.issuer(URL)

    assert (second.number, third.number) == (2, 3)


def test_an_unknown_one_has_a_near_name(emulator: Emulator) -> None:
    emulator.spacetime.issuer(URL)

    with pytest.raises(KeyError, match=f"did you mean '?{URL}"):
        emulator.spacetime.issuers["https://auth.exemple.com"]


def test_a_snapshot_keeps_them(handle: Emulator) -> None:
    auth, other = handle.spacetime.issuer(URL), handle.spacetime.issuer(OTHER, algorithm="RS256")
    old = auth.issue_token(subject="alice")
    text(handle, old)
    auth.rotate_key()
    other.down()
    kept = handle.snapshot()
    handle.reset()

    handle.restore(kept)

    found = handle.spacetime.issuers
    assert {url: each.condition for url, each in found.items()} == {URL: "up", OTHER: "down"}
    assert text(handle, old) == "valid"
    assert claims_of(found[OTHER].issue_token(subject="alice"))["iss"] == OTHER
    handle.clock.advance(300)
    assert [text(handle, old), text(handle, found[URL].issue_token(subject="alice"))] == [NOT_FOUND, "valid"]


def test_a_document_without_issuers_is_as_before(emulator: Emulator) -> None:
    document = RemoteEmulator(emulator.url).snapshot()

    assert "issuers" not in document["spacetime"]


def test_a_python_scenario_gives_them_a_url(emulator: Emulator) -> None:
    def nowhere(emulator: Emulator) -> None:
        emulator.spacetime.issuer()

    with pytest.raises(Misconfigured, match="give the issuer a URL"):
        emulator.load(nowhere)


def test_a_python_scenario_registers_them_for_every_world() -> None:
    def clerk(emulator: Emulator) -> None:
        emulator.spacetime.issuer(URL)

    with running_in_thread(scenario=clerk) as emulator:
        for _ in range(2):
            assert text(emulator, emulator.spacetime.issuers[URL].issue_token(subject="alice")) == "valid"
            emulator.reset()


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_other_languages_register_ask_and_remove(emulator: Emulator) -> None:
    added = steer(emulator, "POST", "/issuers", {"url": URL}).json()
    token = steer(emulator, "POST", "/issuers/1/tokens", {"subject": "alice", "claims": {"role": "admin"}}).json()
    rotated = steer(emulator, "POST", "/issuers/1/rotate-key").json()
    left = steer(emulator, "DELETE", "/issuers", {"n": 1}).json()

    base = f"{emulator.url}/_emulator/issuers/1/.well-known"
    state = {"n": 1, "url": URL, "kind": "played", "condition": "up"}
    documents = {"discovery_url": f"{base}/openid-configuration", "jwks_url": f"{base}/jwks.json"}
    assert added == {**state, **documents}
    assert claims_of(token["token"])["role"] == "admin"
    assert json.loads(rotated["jwks"])["keys"][0]["kid"] == "es256-2"
    assert left == {"issuers": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/issuers", {"url": 5}, 400, "url: expected text, got 5"),
        ("POST", "/issuers", {"uri": URL}, 400, "unknown key 'uri'"),
        ("GET", "/issuers/9", None, 404, "there is no issuer '9'"),
        ("GET", "/issuers/x", None, 404, "there is no issuer 'x'"),
        ("GET", "/issuers/9/.well-known/jwks.json", None, 404, "there is no issuer '9'"),
        ("POST", "/issuers/9/tokens", {"subject": "alice"}, 404, "there is no issuer '9'"),
        ("POST", "/issuers/1/tokens", {}, 400, "subject: missing"),
        (
            "POST",
            "/issuers/1/condition",
            {"condition": "off"},
            400,
            "condition: expected up or down or hanging, got 'off'",
        ),
        ("POST", "/issuers/1/publish", {}, 400, "jwks: missing"),
        ("DELETE", "/issuers", {"n": 9}, 404, "there is no issuer '9'"),
    ],
)
def test_a_wrong_call_is_refused(
    emulator: Emulator, method: str, path: str, body: Any, status: int, error: str
) -> None:
    emulator.spacetime.issuer(URL)

    told = steer(emulator, method, path, body)

    assert told.status_code == status
    assert error in told.json()["error"]


def test_the_documents_say_the_address_they_were_asked_at(emulator: Emulator) -> None:
    auth = emulator.spacetime.issuer(URL)

    found = served(auth.discovery_url, Host="emulator:3000", Origin="https://app.example.com")

    assert found.json()["issuer"] == URL
    assert found.json()["jwks_uri"] == "http://emulator:3000/_emulator/issuers/1/.well-known/jwks.json"
    assert found.headers["access-control-allow-origin"] == "*"


def test_they_are_not_served_while_it_is_down(emulator: Emulator) -> None:
    auth = emulator.spacetime.issuer(URL)
    auth.down()

    assert {served(each).status_code for each in (auth.discovery_url, auth.jwks_url)} == {503}


def test_they_are_served_once_it_hangs_no_more(emulator: Emulator) -> None:
    auth = emulator.spacetime.issuer(URL)
    auth.hang()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served, auth.jwks_url)
        steer(emulator, "GET", "/issuers")
        assert not waiting.done()

        auth.up()

        assert waiting.result().json() == auth.jwks


def test_a_reset_ends_the_waiting_for_one_that_hangs(emulator: Emulator) -> None:
    auth = emulator.spacetime.issuer(URL)
    auth.hang()
    url = auth.jwks_url
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served, url)
        while waiting.running() and not emulator.journal.exchanges:
            served(f"{emulator.url}/v1/ping")

        emulator.reset()

        assert waiting.result().status_code in {503, 404}


# --- the command, and the settings ------------------------------------------------------------------------------------


def test_issuers_of_listed_hosts_are_fetched_without_being_registered() -> None:
    with serving_pages() as pages, running_in_thread(fetch_issuers="loopback") as emulator:
        url = pages.provider("a", json.dumps({"keys": [A.named("a")]}).encode())

        assert text(emulator, Built(claims={"exp": None}).token(url)) == "valid"


def test_without_a_list_none_is_fetched(emulator: Emulator) -> None:
    with serving_pages() as pages:
        url = pages.provider("a", json.dumps({"keys": [A.named("a")]}).encode())

        assert text(emulator, Built(claims={"exp": None}).token(url)) == OUT_OF_REACH + url
        assert pages.requests == []


@pytest.mark.parametrize("host", ["https://auth.example.com", "", "a b"])
def test_what_is_no_host_can_not_be_listed(host: Any) -> None:
    with pytest.raises(Misconfigured, match="is no host; write `loopback`"), running_in_thread(fetch_issuers=[host]):
        pass


def test_a_restored_world_fetches_as_the_server_was_started() -> None:
    with serving_pages() as pages, running_in_thread(fetch_issuers=["loopback"]) as emulator:
        remote = RemoteEmulator(emulator.url)
        remote.restore(remote.snapshot())
        url = pages.provider("b", json.dumps({"keys": [B.named("a")]}).encode())

        assert text(emulator, Built(key=B, claims={"exp": None}).token(url)) == "valid"


# --- broken tokens ----------------------------------------------------------------------------------------------------


def test_broken_tokens_of_foreign_issuers_are_made_over_http_too(emulator: Emulator) -> None:
    remote = RemoteEmulator(emulator.url)
    foreign = [each for each in tokens.broken("v2.14") if each.name.startswith("foreign_issuer")]

    assert [text(remote, each.token(remote)) for each in foreign] == [each.text() for each in foreign]


def decoded(segment: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def claims_of(token: str) -> Any:
    return json.loads(decoded(token.split(".")[1]))
