"""The options that `serve` and `exec` have in common."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from emulator.cli.logging import log_to_stderr
from emulator.control.api.access import Guard, is_loopback
from emulator.control.new_world import new_stage
from emulator.core.clock import parse_rfc3339
from emulator.core.entropy import unseeded
from emulator.core.errors import Misconfigured
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.spacetimedb.model import PROFILES as SPACETIME_PROFILES
from emulator.world.config import Config
from emulator.world.stage import Stage

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT = {"auto_envvar_prefix": "IDENTITY_EMULATOR", "show_default": True}
"""Each option can be set in the environment, for `exec` by the same names as for `serve`."""

PEM = click.Path(path_type=Path, dir_okay=False)


def _one_of(*names: str) -> "click.Choice[str]":
    return click.Choice(names, case_sensitive=False)


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like 2024-02-15T05:47:17Z") from None


_OPTIONS = (
    click.option(
        "--host", default="127.0.0.1", help="Address to listen on; other than loopback needs --control-token."
    ),
    click.option("--seed", type=int, show_default="a new one", help="Seed of every generated key, token and id."),
    click.option(
        "--scenario",
        multiple=True,
        metavar="NAME|PATH",
        help="Initial data and faults; may be repeated, a later scenario overrides an earlier one.",
    ),
    click.option(
        "--spacetime-profile",
        show_default="documented",
        type=_one_of(*SPACETIME_PROFILES),
        help="Profile of SpacetimeDB's API.",
    ),
    click.option(
        "--intuition-profile",
        show_default="documented",
        type=_one_of(*INTUITION_PROFILES),
        help="Profile of Intuition's API.",
    ),
    click.option("--freeze-at", metavar="RFC3339", callback=_moment, help="Freeze the clock at this time."),
    click.option(
        "--jwt-priv-key-path", type=PEM, help="PEM file of the P-256 key that signs tokens, as for the real server."
    ),
    click.option("--jwt-pub-key-path", type=PEM, help="PEM file of its public key."),
    click.option("--control-token", help="Require this token on the control routes."),
    click.option("--journal-size", default=10_000, type=click.IntRange(0), help="Most exchanges in the journal."),
    click.option("--export-on-exit", type=PEM, help="Write the final state to this file, as JSON for comparison."),
    click.option("--log-format", default="text", type=_one_of("text", "json"), help="Format of the log on stderr."),
    click.option(
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
    host: str
    export_on_exit: Path | None


def served(
    *,
    host: str,
    control_token: str | None,
    export_on_exit: Path | None,
    log_format: str,
    log_level: str,
    scenario: tuple[str, ...],
    **settings: Any,
) -> Served:
    """Raises Misconfigured."""
    host = host.strip("[]")
    if not is_loopback(host) and not control_token:
        raise Misconfigured(f"--host {host} is open to other machines: give --control-token too, or use 127.0.0.1")
    if export_on_exit is not None and not export_on_exit.absolute().parent.is_dir():
        raise Misconfigured(f"--export-on-exit {export_on_exit}: there is no such folder")
    click.get_current_context().with_resource(log_to_stderr(log_format, log_level))
    stage = new_stage(Config(**settings, scenario=scenario or None), Config(seed=unseeded()))
    return Served(stage, Guard(host, control_token), host, export_on_exit)


@contextmanager
def exported(what: Served) -> Iterator[None]:
    """Write the world to the file of --export-on-exit, if given, at the end of the block, also after an error."""
    try:
        yield
    finally:
        if what.export_on_exit is not None:
            from emulator.world.snapshot_document import written

            write_whole(what.export_on_exit, written(what.stage.settled_world()), "--export-on-exit")


def write_whole(path: Path, data: bytes, option: str) -> None:
    """Write a file atomically: readers never see a part of it. Raises Misconfigured."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise Misconfigured(f"can't write {option} {path}: {error.strerror}") from None
