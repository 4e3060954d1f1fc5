"""Which requests are sent for an issuer's keys, and what of the answers counts. Nothing here opens a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from emulator.http.outgoing import FetchFailed, Got, Hosts
from emulator.services.spacetimedb.issuers.fetch import fetch_key_set
from emulator.services.spacetimedb.releases import PROFILES

HERE = "http://127.0.0.1:9"
DISCOVERY = f"{HERE}/.well-known/openid-configuration"
LOOPBACK = Hosts.of(["loopback"])
KEYS = b'{"keys":[]}'


class Network:
    """Answers by URL; `sent` has each request with its headers, and the number of the connection."""

    def __init__(self, answers: dict[str, Got]) -> None:
        self.answers = answers
        self.sent: list[tuple[str, Mapping[str, str], int]] = []
        self.connections = 0

    @asynccontextmanager
    async def connect(self, hosts: Hosts) -> AsyncIterator["Network"]:
        self.connections += 1
        yield self

    async def get(self, url: str, headers: Mapping[str, str]) -> Got:
        self.sent.append((url, dict(headers), self.connections))
        return self.answers[url]

    @property
    def urls(self) -> list[str]:
        return [url for url, *_ in self.sent]


def network(discovery: bytes = b'{"jwks_uri":"http://127.0.0.1:9/keys"}') -> Network:
    return Network({DISCOVERY: Got(200, None, discovery), f"{HERE}/keys": Got(200, None, KEYS)})


def fetched(network: Network, issuer: str = HERE, profile: str = "v2.14", hosts: Hosts = LOOPBACK) -> bytes:
    return asyncio.run(fetch_key_set(issuer, network.connect, hosts, PROFILES[profile]))


def why_not(network: Network, issuer: str = HERE, hosts: Hosts = LOOPBACK) -> str:
    with pytest.raises(FetchFailed) as caught:
        fetched(network, issuer, hosts=hosts)
    return str(caught.value)


def moved(to: str) -> Got:
    return Got(302, to, b"")


def test_two_gets_bring_the_keys() -> None:
    answers = network()

    assert fetched(answers) == KEYS
    assert answers.urls == [DISCOVERY, f"{HERE}/keys"]


@pytest.mark.parametrize(
    ("profile", "headers", "connections"),
    [
        ("v1", {"accept": "*/*"}, [1, 2]),
        ("v2.8", {"accept": "*/*"}, [1, 2]),
        ("v2.14", {"accept": "*/*", "accept-encoding": "gzip, br"}, [1, 1]),
    ],
)
def test_each_release_has_its_headers_and_connections(
    profile: str, headers: dict[str, str], connections: list[int]
) -> None:
    answers = network()

    fetched(answers, profile=profile)

    assert [(sent, connection) for _, sent, connection in answers.sent] == [(headers, each) for each in connections]


@pytest.mark.parametrize("issuer", [f"{HERE}/", f"{HERE}///"])
def test_all_slashes_at_the_end_of_the_issuer_are_cut(issuer: str) -> None:
    answers = network()

    assert fetched(answers, issuer) == KEYS


def test_a_query_in_the_issuer_is_not_special() -> None:
    answers = network()
    answers.answers[f"{HERE}/x?y=/.well-known/openid-configuration"] = answers.answers[DISCOVERY]

    assert fetched(answers, f"{HERE}/x?y=") == KEYS


def test_status_and_issuer_of_the_document_do_not_count() -> None:
    answers = network()
    body = b'{"issuer":"https://other.example.com","jwks_uri":"http://127.0.0.1:9/keys"}'
    answers.answers[DISCOVERY] = Got(500, None, body)

    assert fetched(answers) == KEYS


@pytest.mark.parametrize(
    ("discovery", "said"),
    [
        (b"<html>", "the discovery document can't be read: expected value"),
        (b"{}", "missing field `jwks_uri`"),
        (b'{"jwks_uri":5}', "invalid type: integer `5`, expected a string"),
        (b'{"jwks_uri":"/keys"}', "'/keys' is no absolute URL of HTTP"),
        (b'{"jwks_uri":"file:///etc/passwd"}', "is no absolute URL of HTTP"),
        (b'{"jwks_uri":"http://[::1"}', "is no absolute URL of HTTP"),
        (b'{"jwks_uri":"http://127.0.0.1:99999/"}', "is no absolute URL of HTTP"),
        (b'{"jwks_uri":"http://169.254.169.254/keys"}', "169.254.169.254 is not on this machine"),
        (b'{"jwks_uri":"https://auth.example.com/keys"}', "auth.example.com is not on this machine"),
    ],
)
def test_a_discovery_document_that_leads_nowhere_says_why(discovery: bytes, said: str) -> None:
    assert said in why_not(network(discovery))


@pytest.mark.parametrize(
    "issuer",
    ["http://10.0.0.1", "http://auth.example.com", "http://0.0.0.0:9", "http://localhost.example.com", "http://"],
)
def test_nothing_is_sent_beyond_this_machine(issuer: str) -> None:
    answers = network()

    why_not(answers, issuer)

    assert answers.urls == []


def test_a_host_that_is_listed_is_asked() -> None:
    answers = network()
    answers.answers["https://auth.example.com/.well-known/openid-configuration"] = answers.answers[DISCOVERY]

    assert fetched(answers, "https://auth.example.com", hosts=Hosts.of(["loopback", "Auth.Example.com"])) == KEYS


def test_a_host_that_is_listed_does_not_list_this_machine() -> None:
    assert "127.0.0.1 is not on this machine" in why_not(network(), hosts=Hosts.of(["auth.example.com"]))


def test_a_redirect_is_followed_and_tells_where_it_comes_from() -> None:
    answers = network()
    answers.answers |= {f"{HERE}/moved": answers.answers[DISCOVERY], DISCOVERY: moved("/moved")}

    assert fetched(answers) == KEYS
    assert [(url, headers.get("referer")) for url, headers, _ in answers.sent] == [
        (DISCOVERY, None),
        (f"{HERE}/moved", DISCOVERY),
        (f"{HERE}/keys", None),
    ]


def test_a_redirect_to_another_machine_is_not_followed() -> None:
    answers = network()
    answers.answers[DISCOVERY] = moved("http://10.0.0.1/")

    assert "10.0.0.1 is not on this machine" in why_not(answers)


@pytest.mark.parametrize(("redirects", "is_followed"), [(10, True), (11, False)])
def test_ten_redirects_are_followed(redirects: int, is_followed: bool) -> None:
    answers = network()
    body = answers.answers[DISCOVERY]
    answers.answers[DISCOVERY] = moved("/1")
    for number in range(1, redirects):
        answers.answers[f"{HERE}/{number}"] = moved(f"/{number + 1}")
    answers.answers[f"{HERE}/{redirects}"] = body

    if is_followed:
        assert fetched(answers) == KEYS
    else:
        assert "more than 10 redirects" in why_not(answers)


def test_a_redirect_without_a_place_is_an_answer() -> None:
    answers = network()
    answers.answers[DISCOVERY] = Got(302, None, answers.answers[DISCOVERY].body)

    assert fetched(answers) == KEYS
