"""The command `identity-emulator`."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.clock import Clock, parse_rfc3339, rfc3339, to_micros, unseeded
from emulator.errors import Misconfigured
from emulator.guard import Guard, is_loopback
from emulator.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.server import bind, new_event_loop, serving, url_of
from emulator.spacetime.model import PROFILES as SPACETIME_PROFILES
from emulator.spacetime.model import Claims, TokenRefused
from emulator.spacetime.validation import Inspection, inspect
from emulator.version import emulator_version
from emulator.world import Config, Stage, World

CHECK_SIGNALS_EVERY = 0.2
"""Seconds."""


if TYPE_CHECKING:
    _DatetimeParam = click.ParamType[datetime]
else:  # generic since click 8.4 only
    _DatetimeParam = click.ParamType


class CannotStart(click.ClickException):
    """One line that says what to do, exit status 2, no traceback."""

    exit_code = 2


class Moment(_DatetimeParam):
    name = "RFC3339"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return parse_rfc3339(value)
        except ValueError as error:
            self.fail(f"{error}; write it like 2024-02-15T05:47:17Z", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(emulator_version(), prog_name="identity-emulator")
def main() -> None:
    """Stand in for SpacetimeDB's and Intuition's identity services in tests."""


_PEM = click.Path(path_type=Path, dir_okay=False)


@main.command(context_settings={"auto_envvar_prefix": "IDENTITY_EMULATOR", "show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on; beyond loopback --control-token is needed.")
@click.option("--port", default=3000, type=click.IntRange(0, 65535), help="Port to listen on; 0 lets the system pick.")
@click.option("--seed", type=int, show_default="a new one", help="Decides every key, token and id.")
@click.option(
    "--scenario",
    multiple=True,
    metavar="NAME|PATH",
    help="What the world holds when it begins, and what goes wrong; given again, the later one is laid over.",
)
@click.option(
    "--spacetime-profile",
    show_default="documented",
    type=click.Choice(list(SPACETIME_PROFILES), case_sensitive=False),
    help="Who SpacetimeDB's API speaks for.",
)
@click.option(
    "--intuition-profile",
    show_default="documented",
    type=click.Choice(list(INTUITION_PROFILES), case_sensitive=False),
    help="Who Intuition's API speaks for.",
)
@click.option("--freeze-at", type=Moment(), help="Let the clock stand at this moment.")
@click.option("--jwt-priv-key-path", type=_PEM, help="PEM of the P-256 key that signs tokens, as for the real server.")
@click.option("--jwt-pub-key-path", type=_PEM, help="PEM of its public half.")
@click.option(
    "--ready-file",
    type=_PEM,
    help="Write the ready line to this file too, once requests are answered; it is removed at the end.",
)
@click.option("--control-token", help="Demand this token on the control routes.")
@click.option("--journal-size", default=10_000, type=click.IntRange(0), help="How many exchanges are remembered.")
@click.option(
    "--log-format",
    default="text",
    type=click.Choice(["text", "json"], case_sensitive=False),
    help="How the log on stderr looks.",
)
@click.option(
    "--log-level",
    default="info",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="debug tells of every request, info of the refused ones.",
)
def serve(
    *,
    host: str,
    port: int,
    ready_file: Path | None,
    control_token: str | None,
    log_format: str,
    log_level: str,
    scenario: tuple[str, ...],
    **settings: Any,
) -> None:
    """Answer until SIGINT or SIGTERM. Each option can also be set as IDENTITY_EMULATOR_… in the environment.

    The first line on stdout is a JSON object that tells the URL; it comes once requests are answered.
    """
    host = host.strip("[]")
    if not is_loopback(host) and not control_token:
        raise CannotStart(f"--host {host} can be reached by others: give --control-token too, or keep to 127.0.0.1")
    _set_up_logging(log_format, log_level)
    try:
        stage = Stage(Config(**settings, scenario=scenario or None), Config(seed=unseeded()))
        listener = bind(host, port)
    except Misconfigured as error:
        raise CannotStart(str(error)) from None

    def ready() -> None:
        _announce(stage, url_of(listener), ready_file)

    _forget(ready_file)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_serve(stage, Guard(host, control_token), listener, ready))
    finally:
        _forget(ready_file)


def _forget(ready_file: Path | None) -> None:
    """Nobody may find the line of a server that is not there: not an earlier one's, nor this one's after its end."""
    if ready_file is not None:
        with suppress(OSError):
            ready_file.unlink()


async def _serve(stage: Stage, guard: Guard, listener: socket.socket, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    _on_signals(stop.set)
    async with serving(stage, guard, listener):
        ready()
        await _until(stop)


async def _until(stop: asyncio.Event) -> None:
    """On Windows a loop with nothing to do notices no signal, so it is woken now and then."""
    while sys.platform == "win32" and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_SIGNALS_EVERY)
    await stop.wait()


def _on_signals(stop: Callable[[], None]) -> None:
    """Ctrl-C, `kill`, and Ctrl-Break on Windows end the server with status 0."""
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
            signal.signal(number, lambda *_: stop())
    else:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)


def _announce(stage: Stage, url: str, ready_file: Path | None) -> None:
    """The ready line for programs, the banner for people."""
    line = json.dumps(
        {
            "url": url,
            "port": int(url.rpartition(":")[2]),
            "pid": os.getpid(),
            "seed": stage.world.seed,
            "version": emulator_version(),
        }
    )
    if ready_file is not None:
        _write_whole(ready_file, line)
    click.echo(line)
    click.echo(_banner(stage, url), err=True)


def _write_whole(path: Path, text: str) -> None:
    """Whoever sees the file sees all of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(f"{text}\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise CannotStart(f"can't write --ready-file {path}: {error.strerror}") from None


def _banner(stage: Stage, url: str) -> str:
    world = stage.world
    lines = [
        "",
        f"  SpacetimeDB  {url}/v1/identity  (profile {world.spacetime.profile.name})",
        f"  Intuition    {url}/identity  (profile {world.intuition.profile.name})",
        *([f"               x-api-key: {world.api_key}"] if world.api_key else []),
        f"  Control      {url}/_emulator/health",
        *_actors_in_words(world, url),
        "",
        f"  The same run again: {_again(stage)}",
        "  Stop with Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


_MOST_NAMED = 10


def _actors_in_words(world: World, url: str) -> list[str]:
    """Who is there, and how to get their tokens; nothing when nobody is."""
    named = [actor.name for actor in world.actors if not actor.crowd]
    others = len(world.actors) - len(named[:_MOST_NAMED])
    shown = ", ".join(named[:_MOST_NAMED] + ([f"{others:,} more"] if others else []))
    return [f"  Actors       {shown}", f"               tokens and keys: curl {url}/_emulator/actors"] if shown else []


def _again(stage: Stage) -> str:
    """The options that make the same world."""
    given = stage.config.scenario
    scenarios = given if isinstance(given, tuple) else ()
    options = [*(f"--scenario {each}" for each in scenarios), f"--seed {stage.world.seed}"]
    frozen = stage.config.freeze_at
    return " ".join(options + ([f"--freeze-at {rfc3339(to_micros(frozen))}"] if frozen else []))


@main.group()
def scenario() -> None:
    """Look at scenarios: worlds described in files."""


@scenario.command(name="list")
def list_() -> None:
    """Name the bundled ones, and what each is for."""
    from emulator.scenario.finding import bundled, find

    names = bundled()
    for name in names:
        click.echo(f"{name:<{max(map(len, names))}}  {find([name]).scenario.description}")


@scenario.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a bundled one, to begin a file of your own with."""
    from emulator.scenario.finding import bundled_text

    try:
        click.echo(bundled_text(name), nl=False)
    except Misconfigured as error:
        raise CannotStart(str(error)) from None


@scenario.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def validate(files: tuple[str, ...]) -> None:
    """Say all that is wrong with scenario files, or bundled ones, one line each; exit status 1 if anything is."""
    from emulator.scenario.finding import problems_of

    problems = {file: problems_of(file) for file in files}
    for file, found in problems.items():
        click.echo("\n".join(map(str, found)) or f"{file}: nothing is wrong")
    sys.exit(any(problems.values()))


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from emulator.scenario.schema import schema_text

    click.echo(schema_text(), nl=False)


@main.group()
def token() -> None:
    """Look into tokens."""


@token.command()
@click.argument("jwt")
def decode(jwt: str) -> None:
    """Show what JWT says: algorithm, claims, whether its identity is its own, and the time left.

    Neither signature nor time is judged: there is no key here. Exit status 1 when the server could not read it.
    """
    try:
        found = inspect(jwt.strip())
    except TokenRefused as refused:
        raise click.ClickException(f"{refused.text}\n{refused.why}") from None
    click.echo(json.dumps({"alg": found.algorithm, "claims": found.claims.payload()}, indent=2, ensure_ascii=False))
    click.echo(_identity_in_words(found))
    click.echo(_time_in_words(found.claims, Clock().seconds()))


def _identity_in_words(found: Inspection) -> str:
    own = found.claims.identity
    if found.claimed is None:
        return f"identity: {own}, from iss and sub; the token names none"
    if found.claimed == own:
        return f"identity: {own}, which belongs to iss and sub"
    return f"identity: {found.claimed} is not {own}, which belongs to iss and sub: the server refuses it"


def _time_in_words(claims: Claims, now: int) -> str:
    if claims.expires_at is None:
        return "expires:  never"
    left = claims.expires_at - now
    if left >= 0:
        return f"expires:  in {left} s"
    return f"expires:  {-left} s ago; " + (
        "refused" if claims.expired(now) else "still accepted, within the leeway of 60 s"
    )


class JsonFormatter(logging.Formatter):
    """One object a line."""

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
