"""Addresses of servers."""

import pytest

from emulator.conformance.target import Target, Unusable


@pytest.mark.parametrize(
    ("url", "host", "port", "authority"),
    [
        ("http://127.0.0.1:3000", "127.0.0.1", 3000, "127.0.0.1:3000"),
        (" http://localhost/ ", "localhost", 80, "localhost"),
        ("http://[::1]:3000", "::1", 3000, "[::1]:3000"),
        ("https://maincloud.spacetimedb.com", "maincloud.spacetimedb.com", 443, "maincloud.spacetimedb.com"),
        ("https://example.com:80", "example.com", 80, "example.com:80"),
    ],
)
def test_a_target_is_named_by_its_url(url: str, host: str, port: int, authority: str) -> None:
    target = Target.of(url)

    assert (target.host, target.port, target.authority) == (host, port, authority)
    assert (target.tls is not None) == url.startswith("https")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:3000",
        "localhost",
        "ftp://x",
        "http://",
        "http://[::1",
        "http://x:99999",
        "http://x:0x1",
        "http://x/v1",
        "http://x?a",
        "http://x#a",
        "http://me:secret@x",
    ],
)
def test_what_names_no_server_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(Unusable, match=r"is no address of a server; write it like http://127\.0\.0\.1:3000"):
        Target.of(url)


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "a b", "nowhere.invalid", "\u00ad.example"])
def test_a_host_that_can_not_be_is_an_os_error(host: str) -> None:
    with pytest.raises(OSError, match=r"."):
        Target(host, 80).connect(1.0)
