"""`ctl` of the world as a whole: `reset`, `state`, `snapshot`, `actors`, `clock`."""

import math
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from emulator.cli.address import Where
from emulator.cli.ctl.command import ANY_OPTION, asked, one_of, print_as_json, show, to_json
from emulator.cli.ctl.text import clock_line, nested_lines, world_line


@click.command()
@click.option("--seed", type=int, help="Another seed, for this world only.")
@click.option("--scenario", multiple=True, metavar="NAME|PATH", help="Another scenario; files are read here.")
@print_as_json
@asked
def reset(at: Where, *, seed: int | None, scenario: tuple[str, ...], as_json: bool) -> None:
    """Replace the world by a new one."""
    at.emulator().reset(seed=seed, scenario=scenario or None)
    found = at.control()("GET", "/health")
    show(found, [world_line(found)], as_json=as_json)


@click.command()
@print_as_json
@asked
def state(at: Where, *, as_json: bool) -> None:
    """Print the seed, the clock and how much there is of everything."""
    found = at.control()("GET", "/state")
    show(found, nested_lines(found), as_json=as_json)


@click.command()
@asked
def snapshot(at: Where) -> None:
    """Print the world as a JSON document, secrets included."""
    click.echo(to_json(at.control()("GET", "/snapshot")))


@click.command()
@click.option("--env", is_flag=True, help='Print assignments for a shell: eval "$(identity-emulator ctl actors --env)"')
@print_as_json
@asked
def actors(at: Where, *, env: bool, as_json: bool) -> None:
    """Print the scenario's actors with their tokens and keys."""
    found = at.control()("GET", "/actors")
    if env:
        lines: Iterable[str] = (f"export {name}={shlex.quote(value)}" for name, value in found["env"].items())
    else:
        lines = nested_lines(found["actors"])
    show(found, lines, as_json=as_json and not env)


# --- clock ------------------------------------------------------------------------------------------------------------


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise click.UsageError(f"{text!r} is not a number of seconds")
    return number


_MOVES: Mapping[str, Callable[[str | None], Any]] = {
    "advance": lambda text: _number(_needed("advance", text)),
    "freeze": lambda text: True if text is None else text,
    "resume": lambda text: _unneeded("resume", text),
    "skew": lambda text: _number(_needed("skew", text)),
}


def _needed(move: str, text: str | None) -> str:
    if text is None:
        raise click.UsageError(f"how many seconds? `ctl clock {move} 61`")
    return text


def _unneeded(move: str, text: str | None) -> bool:
    if text is not None:
        raise click.UsageError(f"`ctl clock {move}` takes no {text!r}")
    return True


@click.command(context_settings=ANY_OPTION)
@click.argument("move", required=False, metavar="[advance|freeze|resume|skew]")
@click.argument("value", required=False)
@print_as_json
@asked
def clock(at: Where, *, move: str | None, value: str | None, as_json: bool) -> None:
    """Print the emulator's clock, after a move if one is given.

    `advance 61` and `skew -5` take seconds; `freeze` takes a time like 2024-02-15T05:47:17Z, or freezes it now.
    """
    if move is None:
        found = at.control()("GET", "/clock")
    else:
        found = at.control()("POST", "/clock", {move: one_of(move, _MOVES)(value)})
    show(found, [clock_line(found)], as_json=as_json)
