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
from emulator.server.run import running_in_thread
from emulator.world.config import Config

PLACE_KEYWORDS = ("host", "port", "control_token")


class Place(NamedTuple):
    """Where a server listens, and its control token, which a host beyond loopback always has."""

    host: str
    port: int
    control_token: str | None

    @classmethod
    def of(cls, host: str, port: int, token: str | None) -> "Place":
        """Without a token, a host that is open to other machines gets a random one. Raises Misconfigured."""
        if not isinstance(host, str) or not host:
            raise Misconfigured(f"host is {host!r}; it is a name or an address like '0.0.0.0'")
        if type(port) is not int or not 0 <= port < 65536:
            raise Misconfigured(f"port is {port!r}; it is a number from 0 to 65535, 0 for a free one")
        if token is None and not is_loopback(host):
            return cls(host, port, unguessable())
        return cls(host, port, None if token is None else control_token(token))


def place_of_session(config: pytest.Config, worker: str) -> Place:
    """Where the ini file has the session's server listen; `{worker}` in the port is the worker's number."""
    text = config.getini("identity_emulator_port").strip().replace("{worker}", worker) or "0"
    if not (text.isascii() and text.isdecimal()):
        raise Misconfigured(f"identity_emulator_port is {text!r}; it is a number, 0 for a free port")
    host = config.getini("identity_emulator_host").strip() or "127.0.0.1"
    return Place.of(host, int(text), config.getini("identity_emulator_control_token").strip() or None)


def split(settings: dict[str, Any], session: Place, where: str) -> tuple[Config, Place]:
    """The keywords of a factory: fields of `Config`, and where to listen, by default at the session's host.

    Raises Misconfigured.
    """
    known_keywords(settings, (*vars(Config()), *PLACE_KEYWORDS), where)
    host, port, token = (settings.get(name) for name in PLACE_KEYWORDS)
    inherited = session.control_token if host is None else None
    place = Place.of(
        session.host if host is None else host, 0 if port is None else port, inherited if token is None else token
    )
    return config_from({name: value for name, value in settings.items() if name not in PLACE_KEYWORDS}, where), place


@contextmanager
def booted(config: Config, place: Place) -> Iterator[Emulator]:
    """A server of its own. Raises Misconfigured when it can't start."""
    host, port, token = place
    with running_in_thread(config, host=host, port=port, control_token=token) as emulator:
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
