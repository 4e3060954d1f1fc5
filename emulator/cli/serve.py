"""`identity-emulator serve`."""

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from emulator.cli.environment import setting as from_environment
from emulator.cli.files import remove_own, remove_stale, write_ready
from emulator.cli.logging import announce, end
from emulator.cli.options import CONTEXT, PEM, Served, export, exported, served, setting, world_options
from emulator.cli.parent import watch as watch_parent
from emulator.cli.signals import Signals, tell
from emulator.cli.stuck_loop import StuckLoop
from emulator.control.heading import again_options
from emulator.core.version import VERSION
from emulator.server.idle import Together, until_unused
from emulator.server.listening import Listening
from emulator.server.protocol import Http
from emulator.server.run import new_event_loop, serving
from emulator.server.worlds import PortRange
from emulator.services.spacetimedb.release_table import profiles_in_words
from emulator.world.stage import Stage
from emulator.world.world import World

logger = logging.getLogger("emulator")

READY_FILE = "--ready-file"
CHECK_SIGNALS_EVERY = 0.2
"""Seconds."""


def _ports(_context: click.Context, _option: click.Parameter, text: str | None) -> PortRange | None:
    try:
        return None if text is None else PortRange.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _list_profiles(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's
    if not asked or context.resilient_parsing:
        return
    for name, releases, clients, inferred in profiles_in_words():
        lines = [name, f"releases  {releases}", f"clients   {clients}", f"evidence  {inferred}"]
        click.echo("\n    ".join(lines))
    context.exit()


def _seconds(_context: click.Context, _option: click.Parameter, given: float | None) -> float | None:
    if given is not None and not 0 < given <= _LONGEST_IDLE:
        raise click.BadParameter(f"{given:g} is not more than 0 and at most {_LONGEST_IDLE:g} seconds")
    return given


_LONGEST_IDLE = 10_000_000.0


class _Serve(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Before anything can fail: nobody may find the address of a server that has ended."""
        for path in _ready_file_in(args):
            remove_stale(Path(path))
        return super().parse_args(ctx, args)


def _ready_file_in(args: Sequence[str]) -> list[str]:
    """The values of --ready-file, also among options that are wrong."""
    pairs = [value for option, value in pairwise(args) if option == READY_FILE]
    joined = [each.partition("=")[2] for each in args if each.startswith(f"{READY_FILE}=")]
    return list(filter(None, pairs + joined or [from_environment("READY_FILE") or ""]))


@click.command(cls=_Serve, context_settings=CONTEXT)
@world_options
@setting("--port", default=3000, type=click.IntRange(0, 65535), help="Port to listen on; 0 lets the system pick.")
@setting(
    "--world-ports",
    metavar="FIRST-LAST",
    show_default="any free port",
    callback=_ports,
    help="Ports of the worlds that POST /_emulator/worlds opens; a container publishes them.",
)
@setting(
    READY_FILE,
    type=PEM,
    help="Also write the ready line to this file once the server accepts requests; removed at exit.",
)
@setting(
    "--exit-with-parent",
    is_flag=True,
    help="Stop when the process that started it has ended, or stdin, if that is a pipe or a socket.",
)
@setting(
    "--idle-exit",
    type=float,
    metavar="SECONDS",
    callback=_seconds,
    help="Stop after so many seconds without a request or an open WebSocket; checks of health don't count.",
)
@click.option(
    "--list-profiles",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_list_profiles,
    help="Print the profiles of SpacetimeDB's API and the releases and clients they fit, and exit.",
)
def serve(
    *,
    port: int,
    world_ports: PortRange | None,
    ready_file: Path | None,
    exit_with_parent: bool,
    idle_exit: float | None,
    **options: Any,
) -> None:
    """Serve until SIGINT or SIGTERM. Each option can also be set as IDENTITY_EMULATOR_… in the environment.

    The first line on stdout is a JSON object with the URL. It is printed once the server accepts requests.
    """
    with Signals() as signals, StuckLoop() as stuck_loop:
        if exit_with_parent:
            watch_parent(_end)
        what = served(**options)
        with what.listening(port) as listening:

            def start(stop: asyncio.Event) -> None:
                signals.running(asyncio.get_running_loop(), stop.set, partial(_finish, what, listening, ready_file))
                stuck_loop.watch()

            ready = partial(_announce, what, listening, ready_file)
            try:
                with (
                    exported(what),
                    closing(stuck_loop),
                    closing(signals),
                    asyncio.Runner(loop_factory=new_event_loop) as runner,
                ):
                    runner.run(_serve(what, listening, world_ports, start, ready, idle_exit=idle_exit))
            finally:
                if ready_file is not None:
                    remove_own(ready_file)
    end(0)


async def _serve(
    what: Served,
    listening: Listening,
    world_ports: PortRange | None,
    start: Callable[[asyncio.Event], None],
    ready: Callable[[], None],
    *,
    idle_exit: float | None,
) -> None:
    stop = asyncio.Event()
    start(stop)
    async with serving(what.stage, what.guard, listening, world_ports=world_ports) as http:
        gc.freeze()  # imported modules stay alive; the garbage collector need not scan them
        ready()
        idle = None if idle_exit is None else asyncio.create_task(_end_when_idle(http, idle_exit))
        await _until(stop)
        if idle is not None:
            idle.cancel()


async def _end_when_idle(http: Http, seconds: float) -> None:
    await until_unused(Together(http, http.worlds), seconds)
    _end(f"nobody has used it for {seconds:g} s")


def _end(why: str) -> None:
    """As SIGTERM does. The log's reader may have ended too."""
    logger.info("%s: this server ends", why)
    tell()


def _finish(what: Served, listening: Listening, ready_file: Path | None) -> int:
    """Export the world of a server whose loop is stuck; the exit status."""
    status = 0
    try:
        export(what)
    except Exception as error:  # noqa: BLE001 - the process ends, whatever the stuck code has left
        click.echo(f"Error: {error}", err=True)
        status = 2
    if ready_file is not None:
        remove_own(ready_file)
    if listening.tls is not None:
        listening.tls.remove()
    return status


async def _until(stop: asyncio.Event) -> None:
    """On Windows an idle loop does not notice signals, so it is woken at intervals."""
    while sys.platform == "win32" and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_SIGNALS_EVERY)
    await stop.wait()


def _announce(what: Served, listening: Listening, ready_file: Path | None) -> None:
    """The ready line for programs, the banner for people."""
    url, world, secure = listening.plain_url, what.stage.settled_world(), _secure(listening)
    known = {"url": url, "port": _port(url), "pid": os.getpid(), "seed": world.seed, "version": VERSION}
    line = json.dumps({**known, "profiles": world.profiles, **secure})
    if ready_file is not None:
        write_ready(ready_file, line)
    click.echo(line)
    fields = {"url": url, "seed": world.seed, "profiles": world.profiles, **secure}
    announce(_banner(what.stage, url, secure), **fields, repeat=again_options(what.stage))


def _secure(listening: Listening) -> dict[str, str | int]:
    """What the ready line has for TLS."""
    if listening.tls is None or (url := listening.tls_url) is None:
        return {}
    trust = listening.tls.trust
    return {
        "tls_url": url,
        "tls_port": _port(url),
        "ca_file": str(trust.ca_file),
        "ca_bundle_file": str(trust.bundle_file),
        **({} if trust.truststore_file is None else {"truststore_file": str(trust.truststore_file)}),
    }


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _banner(stage: Stage, url: str, secure: Mapping[str, str | int]) -> list[str]:
    world = stage.settled_world()
    tls = [f"  TLS          {secure['tls_url']}", f"               CA: {secure['ca_file']}"] if secure else []
    return [
        "",
        f"  SpacetimeDB  {url}/v1/identity  (profile {world.spacetime.profile.name})",
        f"  Intuition    {url}/identity  (profile {world.intuition.profile.name})",
        *([f"               x-api-key: {world.api_key}"] if world.api_key else []),
        f"  Control      {url}/_emulator/health",
        *tls,
        *_actors_in_words(world, url),
        "",
        f"  To repeat this run: {again_options(stage)}",
        "  Stop with Ctrl-C.",
        "",
    ]


_MOST_NAMED = 10


def _actors_in_words(world: World, url: str) -> list[str]:
    """The lines with the actors and how to get their tokens; none without actors."""
    named = [actor.name for actor in world.actors if not actor.crowd]
    others = len(world.actors) - len(named[:_MOST_NAMED])
    shown = ", ".join(named[:_MOST_NAMED] + ([f"{others:,} more"] if others else []))
    return [f"  Actors       {shown}", f"               tokens and keys: curl {url}/_emulator/actors"] if shown else []
