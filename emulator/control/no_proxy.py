"""Whether the environment sends requests for an emulator to a proxy, and the variables with which it does not."""

from collections.abc import Mapping

_PROXIES = {
    "http": ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
}
"""Those that clients read, by the scheme of the URL."""
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""Hosts that are reached directly, separated by commas. Where both are set, most clients read the first alone."""


def proxied(host: str, environment: Mapping[str, str], scheme: str = "http") -> str | None:
    """The variable whose proxy gets the requests for a host; None when they go there directly."""
    proxy = next((name for name in _PROXIES[scheme] if environment.get(name)), None)
    given = [hosts for name in _EXCEPTIONS if (hosts := _hosts(environment.get(name, "")))]
    return None if given and all(host in hosts or "*" in hosts for hosts in given) else proxy


def without_proxy(host: str, environment: Mapping[str, str], scheme: str = "http") -> dict[str, str]:
    """The variables that exclude a host from the proxy, besides those that they exclude already; empty if it is."""
    if proxied(host, environment, scheme) is None:
        return {}
    given = [name for variable in _EXCEPTIONS for name in _hosts(environment.get(variable, ""))]
    # urllib compares an IPv6 address with its brackets, curl without them.
    hosts = ",".join(dict.fromkeys([*given, host, *([f"[{host}]"] if ":" in host else [])]))
    return dict.fromkeys(_EXCEPTIONS, hosts)


def _hosts(text: str) -> list[str]:
    return list(filter(None, map(str.strip, text.split(","))))
