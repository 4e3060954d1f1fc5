"""Which running emulator a command asks, and with which control token."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from emulator.cli.environment import PREFIX, Secret, Setting, setting
from emulator.cli.input import file
from emulator.core.errors import Misconfigured

if TYPE_CHECKING:
    from emulator.control.remote import Control, RemoteEmulator

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_secret, _setting = partial(click.option, cls=Secret), partial(click.option, cls=Setting)

_OPTIONS = (
    click.option("--url", help="Address of the emulator; else that of --ready-file, or of the environment."),
    click.option("--ready-file", type=_FILE, help="The file that `serve --ready-file` wrote."),
    _secret("--control-token", help="The token that `serve` was given."),
    _setting("--control-token-file", type=_FILE, help="Read that token from this file."),
)


class Where(NamedTuple):
    """A running emulator."""

    url: str
    token: str | None

    def control(self) -> "Control":
        """Its control routes."""
        from emulator.control.remote import Control

        return Control(self.url, self.token)

    def emulator(self) -> "RemoteEmulator":
        """A handle of it."""
        from emulator.control.remote import RemoteEmulator

        return RemoteEmulator(self.url, self.token)


def asking(command: F) -> F:
    """Add the options that say which emulator is asked; `where` has their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def where(
    url: str | None, ready_file: Path | None, control_token: str | None, control_token_file: Path | None
) -> Where:
    """Raises Misconfigured."""
    from emulator.control.control_token import read_control_token

    if control_token is not None and control_token_file is not None:
        raise Misconfigured("--control-token and --control-token-file: only one can be given")
    token = control_token if control_token_file is None else read_control_token(control_token_file)
    return Where(address(url, ready_file), token)


def address(url: str | None, ready_file: Path | None) -> str:
    """What was given, else IDENTITY_EMULATOR_URL, else the file IDENTITY_EMULATOR_READY_FILE, else the usual port.

    Raises Misconfigured.
    """
    if url is not None and ready_file is not None:
        raise Misconfigured("--url and --ready-file: only one can be given")
    given = url or (_url_in(ready_file) if ready_file else None) or setting("URL")
    if given is None and (path := setting("READY_FILE")):
        given = _url_in(Path(path))
    return (given or usual_address()).strip().rstrip("/")


def _url_in(path: Path) -> str:
    """Raises Misconfigured."""
    try:
        url = json.loads(file(path))["url"]
    except (ValueError, KeyError, TypeError, RecursionError):
        url = None
    if not isinstance(url, str):
        raise Misconfigured(f"{path} is not a ready file; `identity-emulator serve --ready-file {path}` writes one")
    return url


def usual_address() -> str:
    """The port of IDENTITY_EMULATOR_PORT, else 3000, on this machine. Raises Misconfigured."""
    port = setting("PORT") or "3000"
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise Misconfigured(f"{PREFIX}PORT is {port[:100]!r}, not a port")
    return f"http://127.0.0.1:{port}"
