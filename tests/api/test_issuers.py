"""Tokens of foreign issuers over HTTP: what a request waits for, what is fetched, and what follows from a token."""

import gzip
import json
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from emulator import Emulator
from emulator.services.spacetimedb.issuers import registry
from emulator.services.spacetimedb.issuers.played import PlayedProvider
from emulator.services.spacetimedb.issuers.registry import Issuers
from emulator.services.spacetimedb.model import identity_of
from emulator.world.stage import Stage
from tests.foreign_cases import OCT, A, B, Built, Key, rsa_key
from tests.provider import DISCOVERY, Page, Pages, serving_pages
from tests.raw import connect, request
from tests.waiting import PATIENCE, eventually
from tests.worlds import make_stage, served, world_of

URL = "https://auth.example.com"
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def stage() -> Stage:
    return make_stage(freeze_at=NOW, spacetime_profile="v2.14")


@pytest.fixture
def emulator(stage: Stage) -> Iterator[Emulator]:
    with served(stage) as found:
        yield found


@pytest.fixture
def issuers(stage: Stage) -> Issuers:
    return world_of(stage).spacetime.issuers


@pytest.fixture
def auth(issuers: Issuers) -> PlayedProvider:
    found = issuers.register(URL)
    assert isinstance(found, PlayedProvider)
    return found


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving_pages() as found:
        yield found


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as found:
        yield found


def exchanged(emulator: Emulator, token: str) -> requests.Response:
    return requests.post(
        f"{emulator.url}/v1/identity/websocket-token", headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE
    )


def text(emulator: Emulator, token: str) -> str:
    """`valid`, or the text of the refusal."""
    response = exchanged(emulator, token)
    return "valid" if response.ok else response.text


def why(emulator: Emulator) -> str:
    return emulator.journal.exchanges[-1].why


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def token(url: str, **changes: Any) -> str:
    return Built(**changes).token(url)


# --- what follows from a token ----------------------------------------------------------------------------------------


def test_a_token_of_a_played_issuer_is_of_its_own_identity(emulator: Emulator, auth: PlayedProvider) -> None:
    alice = auth.issue_token(subject="alice")

    response = requests.get(
        f"{emulator.url}/v1/identity/{identity_of(URL, 'alice')}/verify",
        headers={"authorization": f"Bearer {alice}"},
        timeout=PATIENCE,
    )

    assert response.status_code == 204


def test_a_websocket_token_is_valid_without_the_issuer(emulator: Emulator, auth: PlayedProvider) -> None:
    own = exchanged(emulator, auth.issue_token(subject="alice", name="Alice")).json()["token"]
    auth.down()
    emulator.clock.advance(30)

    assert text(emulator, own) == "valid"


def test_an_expired_websocket_token_of_a_foreign_user_asks_the_issuer_first(
    emulator: Emulator, auth: PlayedProvider
) -> None:
    own = exchanged(emulator, auth.issue_token(subject="alice")).json()["token"]
    auth.down()
    emulator.clock.advance(15_000)
    text(emulator, auth.issue_token(subject="alice"))

    assert text(emulator, own) == f"Error fetching public key for issuer {URL}"


def test_routes_that_anyone_may_call_judge_a_foreign_token_too(emulator: Emulator, auth: PlayedProvider) -> None:
    alice = auth.issue_token(subject="alice", kid="zz")

    response = requests.get(f"{emulator.url}/v1/ping", headers={"authorization": f"Bearer {alice}"}, timeout=PATIENCE)

    assert (response.status_code, response.text) == (401, "Specified key ID not found in JWKs")


def test_below_database_the_caller_is_the_foreign_identity(emulator: Emulator, auth: PlayedProvider) -> None:
    alice = auth.issue_token(subject="alice")

    response = requests.get(
        f"{emulator.url}/v1/database/chat", headers={"authorization": f"Bearer {alice}"}, timeout=PATIENCE
    )

    assert response.headers["spacetime-identity"] == identity_of(URL, "alice")


# --- reasons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "check", "said"),
    [
        ({"kid": "zz"}, "kid", "`kid` is 'zz'; the keys that the server has fetched of 'https://auth.example.com': "),
        (
            {"headers": {"alg": "RS256"}},
            "algorithm",
            "`alg` is RS256; the key is for ES256; judged by the key 'es256-1'",
        ),
        ({"headers": {"alg": "HS256"}}, "algorithm", "judged by the key 'es256-1' of 'https://auth.example.com'"),
        ({"expires_in": -100}, "expiry", "expired 100 s ago by the emulator's clock"),
        ({"iss": "https://nobody.example.com"}, "issuer", "among the registered issuers (https://auth.example.com)"),
        ({"iss": "auth.example.com"}, "issuer", "only from URLs that begin with http:// or https://"),
    ],
)
def test_the_reason_names_the_check_and_the_key(
    emulator: Emulator, auth: PlayedProvider, changes: dict[str, Any], check: str, said: str
) -> None:
    text(emulator, auth.issue_token(subject="alice", **changes))

    assert why(emulator).startswith(f"{check}: ")
    assert said in why(emulator)


def test_a_set_that_the_server_refuses_says_which_key_does_it(emulator: Emulator, issuers: Issuers) -> None:
    issuers.register(URL, jwks=[A.named("a", kty="XX")], accept_as_server=True)

    text(emulator, token(URL))

    assert "the server refuses its whole key set: keys[0]: data did not match any variant" in why(emulator)


# --- chosen answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["v1", "v2.8", "v2.14", "documented"])
@pytest.mark.parametrize("key", [A, rsa_key(2048)])
def test_hs256_with_a_public_key_as_secret_is_never_valid(profile: str, key: Key) -> None:
    stage = make_stage(spacetime_profile=profile)
    world_of(stage).spacetime.issuers.register(URL, jwks=[key.named("a")])

    with served(stage) as emulator:
        assert not exchanged(emulator, token(URL, algorithm="HS256", key=OCT)).ok


# --- waiting ----------------------------------------------------------------------------------------------------------


def asked(issuers: Issuers) -> bool:
    return bool(issuers._under_way)


def test_a_request_waits_for_an_issuer_that_hangs(
    emulator: Emulator, issuers: Issuers, auth: PlayedProvider, pool: ThreadPoolExecutor
) -> None:
    auth.hang()
    waiting = pool.submit(text, emulator, auth.issue_token(subject="alice"))
    assert eventually(lambda: asked(issuers))
    assert not waiting.done()

    auth.up()

    assert waiting.result(PATIENCE) == "valid"


def test_others_are_served_while_an_issuer_hangs(
    emulator: Emulator, issuers: Issuers, auth: PlayedProvider, pool: ThreadPoolExecutor
) -> None:
    other = issuers.register("https://other.example.com")
    assert isinstance(other, PlayedProvider)
    auth.hang()
    waiting = pool.submit(text, emulator, auth.issue_token(subject="alice"))
    assert eventually(lambda: asked(issuers))

    assert text(emulator, other.issue_token(subject="bob")) == "valid"
    auth.down()
    assert waiting.result(PATIENCE) == f"Error fetching public key for issuer {URL}"


def test_a_reset_ends_the_wait(
    emulator: Emulator, issuers: Issuers, auth: PlayedProvider, pool: ThreadPoolExecutor
) -> None:
    auth.hang()
    waiting = pool.submit(text, emulator, auth.issue_token(subject="alice"))
    assert eventually(lambda: asked(issuers))

    emulator.reset()

    assert waiting.result(PATIENCE) == f"Error fetching public key for issuer {URL}"


def test_nothing_is_left_of_a_client_that_hung_up(emulator: Emulator, issuers: Issuers, auth: PlayedProvider) -> None:
    auth.hang()
    alice = auth.issue_token(subject="alice")
    with connect(emulator.url) as client:
        client.sendall(request("GET", "/v1/ping", f"Authorization: Bearer {alice}"))
        assert eventually(lambda: asked(issuers))

    assert eventually(lambda: not asked(issuers))
    assert eventually(lambda: "the client did not wait" in why(emulator))


# --- fetching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "headers", "connections"),
    [("v2.8", {"accept", "host"}, 2), ("v2.14", {"accept", "accept-encoding", "host"}, 1)],
)
def test_the_two_requests_have_the_servers_headers_and_connections(
    pages: Pages, profile: str, headers: set[str], connections: int
) -> None:
    stage = make_stage(spacetime_profile=profile)
    with served(stage) as emulator:
        url = pages.provider("a", jwks(A.named("a")))
        world_of(stage).spacetime.issuers.register(url, fetch=True)

        assert text(emulator, token(url)) == "valid"

    assert [(got.method, got.path, set(got.headers)) for got in pages.requests] == [
        ("GET", f"/a{DISCOVERY}", headers),
        ("GET", "/a/keys", headers),
    ]
    assert len({got.client for got in pages.requests}) == connections
    assert {got.headers["host"] for got in pages.requests} == {urlsplit(url).netloc}


def test_a_compressed_answer_is_decoded(emulator: Emulator, issuers: Issuers, pages: Pages) -> None:
    url = pages.provider("a", b"")
    pages.by_path["/a/keys"] = Page(gzip.compress(jwks(A.named("a"))), 200, {"content-encoding": "gzip"})
    issuers.register(url, fetch=True)

    assert text(emulator, token(url)) == "valid"


def test_keys_are_fetched_once_and_again_after_a_tick(emulator: Emulator, issuers: Issuers, pages: Pages) -> None:
    url = pages.provider("a", jwks(A.named("a")))
    issuers.register(url, fetch=True)
    seen = []
    for seconds in (0, 299, 1, 0):
        emulator.clock.advance(seconds)
        seen.append((text(emulator, token(url)), len(pages.requests)))
        pages.by_path["/a/keys"] = Page(jwks(B.named("a")))

    other = "Invalid token: InvalidSignature"
    assert seen == [("valid", 2), ("valid", 2), (other, 4), (other, 4)]


def test_a_provider_that_fails_keeps_its_keys(emulator: Emulator, issuers: Issuers, pages: Pages) -> None:
    url = pages.provider("a", jwks(A.named("a")))
    issuers.register(url, fetch=True)
    text(emulator, token(url))
    pages.by_path.clear()

    emulator.clock.advance(300)

    assert text(emulator, token(url)) == "valid"


def test_a_failure_is_not_kept(emulator: Emulator, issuers: Issuers, pages: Pages) -> None:
    url = f"{pages.url}/a"
    issuers.register(url, fetch=True)
    seen = [text(emulator, token(url))]
    pages.provider("a", jwks(A.named("a")))

    assert [*seen, text(emulator, token(url))] == [f"Error fetching public key for issuer {url}", "valid"]


def test_requests_at_the_same_time_share_one_fetch(
    emulator: Emulator, issuers: Issuers, pages: Pages, pool: ThreadPoolExecutor
) -> None:
    url = pages.provider("a", jwks(A.named("a")))
    issuers.register(url, fetch=True)
    pages.held[f"/a{DISCOVERY}"] = threading.Event()
    answers = [pool.submit(text, emulator, token(url)) for _ in range(5)]
    assert eventually(lambda: sum(each.waiting for each in issuers._under_way.values()) == 5)

    pages.held[f"/a{DISCOVERY}"].set()

    assert [each.result(PATIENCE) for each in answers] == ["valid"] * 5
    assert len(pages.requests) == 2


def test_they_share_its_failure_too(
    emulator: Emulator, issuers: Issuers, pages: Pages, pool: ThreadPoolExecutor
) -> None:
    url = f"{pages.url}/a"
    issuers.register(url, fetch=True)
    pages.held[f"/a{DISCOVERY}"] = threading.Event()
    answers = [pool.submit(text, emulator, token(url)) for _ in range(3)]
    assert eventually(lambda: sum(each.waiting for each in issuers._under_way.values()) == 3)

    pages.held[f"/a{DISCOVERY}"].set()

    assert {each.result(PATIENCE) for each in answers} == {f"Error fetching public key for issuer {url}"}
    assert len(pages.requests) == 1


def test_a_provider_that_never_answers_is_given_up(
    emulator: Emulator, issuers: Issuers, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "TIMEOUT", 0.05)
    url = pages.provider("a", jwks(A.named("a")))
    issuers.register(url, fetch=True)
    pages.held[f"/a{DISCOVERY}"] = threading.Event()

    assert text(emulator, token(url)) == f"Error fetching public key for issuer {url}"
    assert "did not answer within 0.05 s" in why(emulator)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page(b"x" * (2**20 + 1)), "answers with more than 1048576 bytes"),
        (Page(b"no gzip", 200, {"content-encoding": "gzip"}), "content-encoding: gzip"),
        (Page(b"", 301, {"location": "http://192.0.2.1/"}), "192.0.2.1 is not on this machine"),
        (Page(b"", 301, {"location": "http://[::1"}), "no"),
    ],
)
def test_a_broken_answer_says_why(emulator: Emulator, issuers: Issuers, pages: Pages, page: Page, said: str) -> None:
    url = pages.provider("a", b"")
    pages.by_path[f"/a{DISCOVERY}"] = page
    issuers.register(url, fetch=True)

    assert text(emulator, token(url)) == f"Error fetching public key for issuer {url}"
    assert said in why(emulator)


def test_without_being_told_the_emulator_fetches_nothing(emulator: Emulator, pages: Pages) -> None:
    url = pages.provider("a", jwks(A.named("a")))

    assert text(emulator, token(url)) == f"Error fetching public key for issuer {url}"
    assert not pages.requests


def test_a_listed_host_is_fetched_without_being_registered(emulator: Emulator, stage: Stage, pages: Pages) -> None:
    world_of(stage).spacetime.fetch_issuers = ("loopback",)
    url = pages.provider("a", jwks(A.named("a")))

    assert text(emulator, token(url)) == "valid"


def test_a_played_or_inline_issuer_opens_no_socket(
    emulator: Emulator, auth: PlayedProvider, issuers: Issuers, pages: Pages
) -> None:
    inline = f"{pages.url}/inline"
    issuers.register(inline, jwks=[A.named("a")])

    assert [text(emulator, auth.issue_token(subject="alice")), text(emulator, token(inline))] == ["valid", "valid"]
    assert not pages.requests


# --- a provider that nobody here wrote --------------------------------------------------------------------------------


def id_token_of(provider: str, subject: str) -> str:
    """By the authorization code flow, as a browser and an app go through it."""
    client, back = "my-app", "http://127.0.0.1:9/back"
    asked = {"client_id": client, "redirect_uri": back, "response_type": "code", "scope": "openid", "state": "x"}
    sent = requests.post(
        f"{provider}/oauth2/authorize", params=asked, data={"sub": subject}, allow_redirects=False, timeout=PATIENCE
    )
    code = dict(each.split("=") for each in urlsplit(sent.headers["location"]).query.split("&"))["code"]
    told = requests.post(
        f"{provider}/oauth2/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": client},
        auth=(client, "secret"),
        timeout=PATIENCE,
    )
    return str(told.json()["id_token"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's own libraries
@pytest.mark.parametrize("profile", ["v1", "v2.8", "v2.14"])
def test_a_token_of_oidc_provider_mock_is_valid(profile: str) -> None:
    with warnings.catch_warnings(record=True):
        mock = pytest.importorskip("oidc_provider_mock")
    stage = make_stage(spacetime_profile=profile)
    with served(stage) as emulator, mock.run_server_in_thread() as provider:
        url = f"http://localhost:{provider.server_port}"
        world_of(stage).spacetime.issuers.register(url, fetch=True)

        assert text(emulator, id_token_of(url, "alice")) == "valid"
