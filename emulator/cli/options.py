"""The options that `serve` and `exec` have in common."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from emulator.cli.errors import CannotStart, one_line_errors
from emulator.control.api.access import Guard, is_loopback
from emulator.control.new_world import new_stage
from emulator.core.clock import parse_rfc3339
from emulator.core.entropy import unseeded
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.spacetimedb.model import PROFILES as SPACETIME_PROFILES
from emulator.world.config import Config
from emulator.world.stage import Stage

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT = {"auto_envvar_prefix": "IDENTITY_EMULATOR", "show_default": True}
"""Each option can be set in the environment, for `exec` by the same names as for `serve`."""


if TYPE_CHECKING:
    _DatetimeParam = click.ParamType[datetime]
else:  # generic since click 8.4 only
    _DatetimeParam = click.ParamType


class Moment(_DatetimeParam):
    name = "RFC3339"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return parse_rfc3339(value)
        except ValueError as error:
            self.fail(f"{error}; write it like 2024-02-15T05:47:17Z", param, ctx)


PEM = click.Path(path_type=Path, dir_okay=False)

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
        type=click.Choice(list(SPACETIME_PROFILES), case_sensitive=False),
        help="Profile of SpacetimeDB's API.",
    ),
    click.option(
        "--intuition-profile",
        show_default="documented",
        type=click.Choice(list(INTUITION_PROFILES), case_sensitive=False),
        help="Profile of Intuition's API.",
    ),
    click.option("--freeze-at", type=Moment(), help="Freeze the clock at this time."),
    click.option(
        "--jwt-priv-key-path", type=PEM, help="PEM file of the P-256 key that signs tokens, as for the real server."
    ),
    click.option("--jwt-pub-key-path", type=PEM, help="PEM file of its public key."),
    click.option("--control-token", help="Require this token on the control routes."),
    click.option("--journal-size", default=10_000, type=click.IntRange(0), help="Most exchanges in the journal."),
    click.option("--export-on-exit", type=PEM, help="Write the final state to this file, as JSON for comparison."),
    click.option(
        "--log-format",
        default="text",
        type=click.Choice(["text", "json"], case_sensitive=False),
        help="Format of the log on stderr.",
    ),
    click.option(
        "--log-level",
        default="info",
        type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
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
    """Raises CannotStart."""
    host = host.strip("[]")
    if not is_loopback(host) and not control_token:
        raise CannotStart(f"--host {host} is open to other machines: give --control-token too, or use 127.0.0.1")
    if export_on_exit is not None and not export_on_exit.absolute().parent.is_dir():
        raise CannotStart(f"--export-on-exit {export_on_exit}: there is no such folder")
    _set_up_logging(log_format, log_level)
    with one_line_errors():
        return Served(
            new_stage(Config(**settings, scenario=scenario or None), Config(seed=unseeded())),
            Guard(host, control_token),
            host,
            export_on_exit,
        )


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
    """Write a file atomically: readers never see a part of it. Raises CannotStart."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise CannotStart(f"can't write {option} {path}: {error.strerror}") from None


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def _set_up_logging(style: str, level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else logging.Formatter("%(levelname)-7s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("emulator").setLevel(level.upper())
