"""The servers of a pytest session: where they listen, and what their control routes demand."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest

from emulator.control.api.access import is_loopback
from emulator.control.control_token import control_token
from emulator.control.emulator import Address, Emulator
from emulator.control.remote import RemoteEmulator
from emulator.core.entropy import unguessable
from emulator.core.errors import Misconfigured
from emulator.pytest_plugin.settings import config_from, control_token_in, known_keywords
from emulator.server.run import WithTls, running_in_thread
from emulator.world.config import Config

PLACE_KEYWORDS = ("host", "port", "control_token", "tls", "tls_port")


class Place(NamedTuple):
    """Where a server listens, and its control token, which a host beyond loopback always has."""

    hosts: tuple[str, ...]
    port: int
    control_token: str | None
    tls: WithTls = False
    tls_port: int = 0

    @classmethod
    def of(cls, host: object, port: int, token: str | None, *, tls: WithTls = False, tls_port: int = 0) -> "Place":
        """Without a token, a host that is open to other machines gets a random one. Raises Misconfigured."""
        hosts = (host,) if isinstance(host, str) else tuple(host) if isinstance(host, list | tuple) else ()
        if not hosts or not all(isinstance(each, str) and each for each in hosts):
            raise Misconfigured(f"host is {host!r}; it is a name or an address like '0.0.0.0', or several in a tuple")
        for name, value in {"port": port, "tls_port": tls_port}.items():
            if type(value) is not int or not 0 <= value < 65536:
                raise Misconfigured(f"{name} is {value!r}; it is a number from 0 to 65535, 0 for a free one")
        if token is None and not all(map(is_loopback, hosts)):
            return cls(hosts, port, unguessable(), tls, tls_port)
        return cls(hosts, port, None if token is None else control_token(token), tls, tls_port)


def place_of_session(config: pytest.Config, worker: str) -> Place:
    """Where the ini file has the session's server listen; `{worker}` in the port is the worker's number."""
    text = config.getini("identity_emulator_port").strip().replace("{worker}", worker) or "0"
    if not (text.isascii() and text.isdecimal()):
        raise Misconfigured(f"identity_emulator_port is {text!r}; it is a number, 0 for a free port")
    hosts = config.getini("identity_emulator_host").split() or ["127.0.0.1"]
    token = config.getini("identity_emulator_control_token").strip() or None
    return Place.of(hosts, int(text), token, tls=config.getini("identity_emulator_tls"))


def split(settings: dict[str, Any], session: Place, where: str) -> tuple[Config, Place]:
    """The keywords of a factory: fields of `Config`, and where to listen, by default at the session's host.

    Raises Misconfigured.
    """
    known_keywords(settings, (*vars(Config()), *PLACE_KEYWORDS), where)
    given = {name: settings[name] for name in PLACE_KEYWORDS if settings.get(name) is not None}
    inherited = session.control_token if "host" not in given else None
    place = Place.of(
        given.get("host", session.hosts),
        given.get("port", 0),
        given.get("control_token", inherited),
        tls=given.get("tls", session.tls),
        tls_port=given.get("tls_port", 0),
    )
    return config_from({name: value for name, value in settings.items() if name not in PLACE_KEYWORDS}, where), place


@contextmanager
def booted(config: Config, place: Place) -> Iterator[Emulator]:
    """A server of its own. Raises Misconfigured when it can't start."""
    hosts, port, token, tls, tls_port = place
    with running_in_thread(config, host=hosts, port=port, control_token=token, tls=tls, tls_port=tls_port) as emulator:
        yield emulator


_IDLE_EXIT = 3600.0
"""Seconds until the world of a worker that was killed is closed; the plugin asks for its state before each test."""


@contextmanager
def reached(url: str, config: pytest.Config, worker: str, settings: Config) -> Iterator[RemoteEmulator]:
    """The emulator at a URL; under xdist another world of it for each worker, unless the URL has `{worker}`.

    Raises Misconfigured.
    """
    token = control_token_in(os.environ) or config.getini("identity_emulator_control_token").strip() or None
    emulator = RemoteEmulator(url.strip().replace("{worker}", worker), token)
    if not hasattr(config, "workerinput") or "{worker}" in url:
        yield emulator
        return
    world = emulator.worlds.open(
        spacetime_profile=settings.spacetime_profile, intuition_profile=settings.intuition_profile, idle_exit=_IDLE_EXIT
    )
    try:
        yield world
    finally:
        with suppress(Misconfigured):  # the emulator has stopped
            emulator.worlds.close(world)


_NO_WORLD = frozenset(dir(Emulator)) | frozenset(Emulator.__annotations__)


class ServerAddress(Address):
    """The address of the session's server, whose world is another one in each test."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in _NO_WORLD:
            raise AttributeError(f"identity_emulator_server has no {name!r}; it has url, port, env(), patch_env()")
        raise AttributeError(
            f"identity_emulator_server has no {name!r}: it is an address without a world, since a test begins "
            "with a new one. A test's is `identity_emulator`. A wider fixture can have a world of its own: "
            "`with identity_emulator_factory(seed=7) as emulator: yield emulator`"
        )


def with_scope_hint(message: str) -> str:
    """pytest's ScopeMismatch, and which fixture wider ones can ask for instead."""
    return (
        f"{message}\nidentity-emulator: a fixture of a wider scope asks for `identity_emulator_server` (an address), "
        "or makes a world of its own: `with identity_emulator_factory(seed=7) as emulator: yield emulator`"
    )
