"""The host of an emulator is reached directly, where a proxy is set."""

import pytest

from emulator.control.emulator import Address
from emulator.control.no_proxy import proxied, without_proxy

PROXY = {"HTTP_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_host_is_added_where_a_proxy_is_set(name: str) -> None:
    assert without_proxy("127.0.0.1", {name: "http://proxy:3128"}) == {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.mark.parametrize(
    "environment", [{}, {"https_proxy": "http://proxy:3128"}, {"http_proxy": ""}, {"NO_PROXY": "example.com"}]
)
def test_without_a_proxy_nothing_is_added(environment: dict[str, str]) -> None:
    assert without_proxy("127.0.0.1", environment) == {}


@pytest.mark.parametrize("excluded", ["127.0.0.1", "*", "example.com, 127.0.0.1 ,localhost"])
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_host_that_is_excluded_already_stays_so(name: str, excluded: str) -> None:
    assert without_proxy("127.0.0.1", {**PROXY, name: excluded}) == {}


def test_what_is_excluded_already_is_kept_whichever_variable_has_it() -> None:
    found = without_proxy("127.0.0.1", {**PROXY, "NO_PROXY": "a.example,127.0.0.1", "no_proxy": "b.example"})

    assert found["NO_PROXY"] == found["no_proxy"] == "b.example,a.example,127.0.0.1"


def test_an_ipv6_address_is_added_with_and_without_brackets() -> None:
    assert without_proxy(Address("http://[::1]:3000", "").host, PROXY)["NO_PROXY"] == "::1,[::1]"


def test_the_variable_of_the_proxy_is_named() -> None:
    assert proxied("127.0.0.1", PROXY) == "HTTP_PROXY"


def test_the_environment_for_clients_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.com")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")

    found = Address("http://127.0.0.1:3000", "k").env()

    assert found["NO_PROXY"] == found["no_proxy"] == "example.com,127.0.0.1"
