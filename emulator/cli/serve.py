"""`identity-emulator serve`."""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

from emulator.cli.logging import announce, end
from emulator.cli.options import CONTEXT, PEM, Served, exported, served, world_options, write_whole
from emulator.core.clock import rfc3339, to_micros
from emulator.core.version import emulator_version
from emulator.server.run import bind, new_event_loop, serving, url_of
from emulator.world.stage import Stage
from emulator.world.world import World

CHECK_SIGNALS_EVERY = 0.2
"""Seconds."""


@click.command(context_settings=CONTEXT)
@world_options
@click.option("--port", default=3000, type=click.IntRange(0, 65535), help="Port to listen on; 0 lets the system pick.")
@click.option(
    "--ready-file",
    type=PEM,
    help="Also write the ready line to this file once the server accepts requests; removed at exit.",
)
def serve(*, port: int, ready_file: Path | None, **options: Any) -> None:
    """Serve until SIGINT or SIGTERM. Each option can also be set as IDENTITY_EMULATOR_… in the environment.

    The first line on stdout is a JSON object with the URL. It is printed once the server accepts requests.
    """
    what = served(**options)
    listener = bind(what.host, port)
    ready = partial(_announce, what, url_of(listener), ready_file)
    _remove(ready_file)
    try:
        with exported(what), asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_serve(what, listener, ready))
    finally:
        _remove(ready_file)
    end(0)


def _remove(ready_file: Path | None) -> None:
    """Remove a stale ready file: an earlier server's at the start, this one's at the end."""
    if ready_file is not None:
        with suppress(OSError):
            ready_file.unlink()


async def _serve(what: Served, listener: socket.socket, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    _on_signals(stop.set)
    async with serving(what.stage, what.guard, listener):
        gc.freeze()  # imported modules stay alive; the garbage collector need not scan them
        ready()
        await _until(stop)


async def _until(stop: asyncio.Event) -> None:
    """On Windows an idle loop does not notice signals, so it is woken at intervals."""
    while sys.platform == "win32" and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHECK_SIGNALS_EVERY)
    await stop.wait()


def _on_signals(stop: Callable[[], None]) -> None:
    """Ctrl-C, `kill`, a closed terminal, and Ctrl-Break on Windows end the server with status 0."""
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
            signal.signal(number, lambda *_: stop())
    else:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop)


def _announce(what: Served, url: str, ready_file: Path | None) -> None:
    """The ready line for programs, the banner for people."""
    port, seed = int(url.rpartition(":")[2]), what.stage.settled_world().seed
    line = json.dumps({"url": url, "port": port, "pid": os.getpid(), "seed": seed, "version": emulator_version()})
    if ready_file is not None:
        write_whole(ready_file, f"{line}\n".encode(), "--ready-file")
    click.echo(line)
    world = what.stage.settled_world()
    profiles = {"spacetime": world.spacetime.profile.name, "intuition": world.intuition.profile.name}
    announce(_banner(what.stage, url), url=url, seed=world.seed, profiles=profiles, repeat=_again(what.stage))


def _banner(stage: Stage, url: str) -> list[str]:
    world = stage.settled_world()
    return [
        "",
        f"  SpacetimeDB  {url}/v1/identity  (profile {world.spacetime.profile.name})",
        f"  Intuition    {url}/identity  (profile {world.intuition.profile.name})",
        *([f"               x-api-key: {world.api_key}"] if world.api_key else []),
        f"  Control      {url}/_emulator/health",
        *_actors_in_words(world, url),
        "",
        f"  To repeat this run: {_again(stage)}",
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


def _again(stage: Stage) -> str:
    """The options that make the same world."""
    options = [*(f"--scenario {each}" for each in stage.config.layers), f"--seed {stage.settled_world().seed}"]
    frozen = stage.config.freeze_at
    return " ".join(options + ([f"--freeze-at {rfc3339(to_micros(frozen))}"] if frozen else []))
