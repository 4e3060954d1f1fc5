"""The options that `serve` and `exec` have in common."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from emulator.cli.environment import Secret, Setting, unknown
from emulator.cli.files import has_folder
from emulator.cli.logging import log_to_stderr
from emulator.control.api.access import Guard
from emulator.control.control_token import control_token as checked_token
from emulator.control.control_token import read_control_token
from emulator.control.new_world import new_stage
from emulator.control.trust import Trust
from emulator.core.clock import parse_rfc3339
from emulator.core.entropy import unseeded
from emulator.core.errors import Misconfigured
from emulator.core.files import PRIVATE, SHARED, write_whole
from emulator.journal.limits import KEPT_IN_ALL
from emulator.server.listening import Listening, hosts_of, listen
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.spacetimedb.releases import NAMES as SPACETIME_PROFILES
from emulator.world.config import Config
from emulator.world.stage import Stage

if TYPE_CHECKING:
    from emulator.server.tls import Tls

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT = {"auto_envvar_prefix": "IDENTITY_EMULATOR", "show_default": True}
"""Each option can be set in the environment, for `exec` by the same names as for `serve`."""

_TLS_PORT = 3443

PEM = click.Path(path_type=Path, dir_okay=False)


def _one_of(*names: str) -> "click.Choice[str]":
    return click.Choice(names, case_sensitive=False)


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like 2024-02-15T05:47:17Z") from None


def _token(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    try:
        return None if text is None else checked_token(text)
    except Misconfigured as error:
        raise click.BadParameter(str(error)) from None


setting = partial(click.option, cls=Setting)

_OPTIONS = (
    setting(
        "--host",
        default=("127.0.0.1",),
        multiple=True,
        help="Address to listen on; may be repeated; localhost is 127.0.0.1 and ::1. Other than loopback needs "
        "--control-token.",
    ),
    setting("--seed", type=int, show_default="a new one", help="Seed of every generated key, token and id."),
    setting(
        "--scenario",
        multiple=True,
        metavar="NAME|PATH",
        help="Initial data and faults; may be repeated, a later scenario overrides an earlier one.",
    ),
    setting(
        "--spacetime-profile",
        show_default="documented",
        type=_one_of(*SPACETIME_PROFILES),
        help="Profile of SpacetimeDB's API.",
    ),
    setting(
        "--intuition-profile",
        show_default="documented",
        type=_one_of(*INTUITION_PROFILES),
        help="Profile of Intuition's API.",
    ),
    setting("--freeze-at", metavar="RFC3339", callback=_moment, help="Freeze the clock at this time."),
    setting(
        "--jwt-priv-key-path", type=PEM, help="PEM file of the P-256 key that signs tokens, as for the real server."
    ),
    setting("--jwt-pub-key-path", type=PEM, help="PEM file of its public key."),
    setting("--control-token", cls=Secret, callback=_token, help="Require this token on the control routes."),
    setting(
        "--control-token-file", type=PEM, help="Read that token from this file; other users can see a command line."
    ),
    setting(
        "--tls",
        is_flag=True,
        help="Serve over TLS too, on a port of its own, with a certificate of a CA made for this run.",
    ),
    setting(
        "--tls-port",
        type=click.IntRange(0, 65535),
        show_default="3443; a free one where --port is 0",
        help="Port for TLS.",
    ),
    setting("--tls-ca-file", type=PEM, help="Write the certificate of that CA to this file; the ready line names it."),
    setting("--tls-cert", type=PEM, help="PEM file of your own certificate and its chain, instead of --tls."),
    setting("--tls-key", type=PEM, help="PEM file of its private key, if not in the same file; without a password."),
    setting("--journal-size", default=10_000, type=click.IntRange(0), help="Most exchanges in the journal."),
    setting(
        "--fetch-issuers",
        multiple=True,
        metavar="loopback|HOST",
        help="Fetch the keys of foreign issuers on these hosts, loopback is this machine; may be repeated.",
    ),
    setting(
        "--journal-bytes",
        default=KEPT_IN_ALL,
        type=click.IntRange(0),
        help="Most bytes in the journal, of all exchanges together.",
    ),
    setting("--export-on-exit", type=PEM, help="Write the final state to this file, as JSON for comparison."),
    setting("--log-format", default="text", type=_one_of("text", "json"), help="Format of the log on stderr."),
    setting(
        "--log-level",
        default="info",
        type=_one_of("debug", "info", "warning", "error"),
        help="debug logs every request, info those with a reason: errors and faults.",
    ),
)


def world_options(command: F) -> F:
    """Add the options for the world, the server and the log to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Served(NamedTuple):
    """A stage, and how to serve it, from the options."""

    stage: Stage
    guard: Guard
    hosts: tuple[str, ...]
    tls: "TlsOptions"
    export_on_exit: Path | None

    @contextmanager
    def listening(self, port: int) -> Iterator[Listening]:
        """The sockets, which the server closes; the files for clients of TLS are there within the block.

        Raises Misconfigured.
        """
        with self.tls.prepared(self.hosts) as tls:
            yield listen(self.hosts, port, tls, self.tls.port_beside(port))


@dataclass(frozen=True)
class TlsOptions:
    """The options for TLS. Raises Misconfigured for those that do not fit together."""

    tls: bool
    tls_port: int | None
    tls_ca_file: Path | None
    tls_cert: Path | None
    tls_key: Path | None

    def __post_init__(self) -> None:
        if self.tls_key is not None and self.tls_cert is None:
            raise Misconfigured("--tls-key: give its certificate too, with --tls-cert")
        if self.tls_ca_file is not None and self.tls_cert is not None:
            raise Misconfigured("--tls-ca-file is written by --tls; with --tls-cert no CA is made")
        if self.tls_port is not None and not self.wanted:
            raise Misconfigured("--tls-port needs --tls or --tls-cert")
        if self.tls_ca_file is not None and not self.tls:
            raise Misconfigured("--tls-ca-file needs --tls")
        if self.tls_ca_file is not None and not has_folder(self.tls_ca_file):
            raise Misconfigured(f"--tls-ca-file {self.tls_ca_file}: there is no such folder")

    @property
    def wanted(self) -> bool:
        return self.tls or self.tls_cert is not None

    def port_beside(self, port: int) -> int:
        """The port for TLS."""
        return self.tls_port if self.tls_port is not None else _TLS_PORT if port else 0

    @contextmanager
    def prepared(self, hosts: tuple[str, ...]) -> "Iterator[Tls | None]":
        """Raises Misconfigured."""
        if not self.wanted:
            yield None
            return
        from emulator.server.tls import Certificate, prepared

        own = None if self.tls_cert is None else Certificate(self.tls_cert, self.tls_key)
        with prepared(hosts, own) as tls:
            yield tls if self.tls_ca_file is None else tls._replace(trust=_written(tls.trust, self.tls_ca_file))


def _written(trust: Trust, path: Path) -> Trust:
    """Raises Misconfigured."""
    write_whole(path, trust.ca.encode(), "--tls-ca-file", SHARED)
    return replace(trust, ca_file=path.absolute())


def served(
    *,
    host: tuple[str, ...],
    tls: bool,
    tls_port: int | None,
    tls_ca_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    control_token: str | None,
    control_token_file: Path | None,
    export_on_exit: Path | None,
    log_format: str,
    log_level: str,
    scenario: tuple[str, ...],
    fetch_issuers: tuple[str, ...],
    **settings: Any,
) -> Served:
    """Raises Misconfigured."""
    hosts = hosts_of(host)
    with_tls = TlsOptions(tls, tls_port, tls_ca_file, tls_cert, tls_key)
    guard = Guard.of(hosts, _control_token(control_token, control_token_file))
    if export_on_exit is not None and not has_folder(export_on_exit):
        raise Misconfigured(f"--export-on-exit {export_on_exit}: there is no such folder")
    click.get_current_context().with_resource(log_to_stderr(log_format, log_level))
    for warning in unknown(click.get_current_context().command):
        logging.getLogger(__name__).warning(warning)
    stage = new_stage(
        Config(**settings, scenario=scenario or None, fetch_issuers=fetch_issuers or None), Config(seed=unseeded())
    )
    return Served(stage, guard, hosts, with_tls, export_on_exit)


def _control_token(given: str | None, file: Path | None) -> str | None:
    """Raises Misconfigured."""
    if given is not None and file is not None:
        raise Misconfigured("--control-token and --control-token-file: only one can be given")
    return given if file is None else read_control_token(file)


@contextmanager
def exported(what: Served) -> Iterator[None]:
    """Export the world at the end of the block, also after an error."""
    try:
        yield
    finally:
        export(what)


def export(what: Served) -> None:
    """Write the world to the file of --export-on-exit, if given. Raises Misconfigured."""
    if what.export_on_exit is not None:
        from emulator.world.snapshot_document import written

        # It holds keys and tokens.
        write_whole(what.export_on_exit, written(what.stage.settled_world()), "--export-on-exit", PRIVATE)
