"""`identity-emulator ctl`: asks a running emulator, and steers it, through its control routes.

Exit status 0 when it was done, 2 when not: wrong use, no emulator answers, or it refuses.
"""

import json
import math
import re
import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import click

from emulator.cli import ctl_text
from emulator.cli.address import Where, asking, where
from emulator.cli.files import PRIVATE, SHARED, write_whole
from emulator.cli.output import allow_end_of_reader
from emulator.core.errors import Misconfigured
from emulator.core.suggestions import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a shell."""
_LOOK_AGAIN = 0.2
"""Seconds between two looks of --follow."""

_ANY_OPTION = {"ignore_unknown_options": True}
"""Also a negative number is an argument then."""


@click.group()
def ctl() -> None:
    """Ask and steer a running emulator.

    It is found by --url, --ready-file, IDENTITY_EMULATOR_URL, IDENTITY_EMULATOR_READY_FILE, else on port 3000. Exit
    status 0 if it was done, 2 if not: wrong use, no emulator answers, or it refuses.
    """


def _asked(function: F) -> Callable[..., Any]:
    """A command that gets `Where` first, from the options that say it."""

    @wraps(function)
    def called(
        *,
        url: str | None,
        ready_file: Path | None,
        control_token: str | None,
        control_token_file: Path | None,
        **given: Any,
    ) -> Any:
        allow_end_of_reader()
        try:
            return function(where(url, ready_file, control_token, control_token_file), **given)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    return asking(called)


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, as the control route answers it.")


def _show(found: Any, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(_json(found))
    else:
        for line in lines:
            click.echo(line)


def _json(value: Any) -> str:
    """In one line, which stdout takes as it is: JSON itself leaves DEL unescaped."""
    return json.dumps(value).replace("\x7f", "\\u007f")


# --- journal ----------------------------------------------------------------------------------------------------------

_FILTERS = (
    click.option("--method", help="Only requests with this method."),
    click.option("--path", help="Only requests to this path; * is one segment, ** any number."),
    click.option("--status", help="Only responses with this status: 401, or 4xx."),
    click.option("--since", metavar="RFC3339", help="Only from this time on, by the emulator's clock."),
    click.option("--body", help="Only requests with this text in their body."),
    click.option("--refused", is_flag=True, help="Only requests that were refused."),
    click.option("--last", type=click.IntRange(0), metavar="N", help="Only the last N of them."),
)


def _filtering(command: F) -> F:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _query(filters: Mapping[str, Any]) -> str:
    given = {name: "true" if value is True else value for name, value in filters.items() if value not in {None, False}}
    if filters["last"] == 0:
        given["last"] = 0
    return urlencode(given, errors="surrogateescape")


@ctl.command()
@_filtering
@click.option("--follow", is_flag=True, help="Go on with each exchange as it comes, until the emulator ends.")
@click.option("--har", metavar="FILE", type=click.Path(path_type=Path), help="Write it as HAR 1.2; - is stdout.")
@click.option("--secrets", is_flag=True, help="With --har: don't mask tokens and keys.")
@click.option("--json", "as_json", is_flag=True, help="Print each exchange as JSON in a line, secrets included.")
@_asked
def journal(at: Where, *, follow: bool, har: Path | None, secrets: bool, as_json: bool, **filters: Any) -> None:
    """Print the exchanges, oldest first: what was answered, and why."""
    if har is not None and (follow or as_json):
        raise click.UsageError(f"--har writes a whole journal once; leave out {'--follow' if follow else '--json'}")
    if secrets and har is None:
        raise click.UsageError("--secrets is for --har; --json shows them always")
    if follow:
        _follow(at, filters, as_json=as_json)
        return
    found = at.control()("GET", f"/journal?{_query(filters)}")["exchanges"]
    if har is None:
        _print_exchanges(found, as_json=as_json)
    else:
        _write_har(found, at.url, har, secrets=secrets)


def _print_exchanges(found: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    from emulator.journal.exchange import Exchange

    for each in found:
        click.echo(_json(each) if as_json else ctl_text.exchange_lines(Exchange.from_json(each)))


def _write_har(found: Iterable[dict[str, Any]], url: str, target: Path, *, secrets: bool) -> None:
    from emulator.journal.exchange import Exchange
    from emulator.journal.har import har

    text = _json(har([Exchange.from_json(each) for each in found], url, secrets=secrets))
    _write(text, target, "--har", secrets=secrets)


def _follow(at: Where, filters: Mapping[str, Any], *, as_json: bool) -> None:
    """Until the emulator ends, which is a good end. Raises Misconfigured if none answers at first."""
    from emulator.control.remote import Unreachable

    control, pause = at.control(), threading.Event().wait
    found = control("GET", f"/journal?{_query(filters)}")
    _print_exchanges(found["exchanges"], as_json=as_json)
    seen = found["total"]
    try:
        while not pause(_LOOK_AGAIN):
            total = control("GET", "/state")["journal"]["total"]
            seen = seen if total >= seen else 0  # it was reset
            if total > seen:
                found = control("GET", f"/journal?{_query({**filters, 'last': total - seen})}")
                _print_exchanges((each for each in found["exchanges"] if each["n"] > seen), as_json=as_json)
                seen = found["total"]
    except Unreachable:
        click.echo(f"the emulator at {at.url} has ended", err=True)


@ctl.command()
@_filtering
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write it as a page; - is stdout.")
@click.option("--secrets", is_flag=True, help="With --html: don't mask tokens and keys.")
@_asked
def report(at: Where, *, html: Path | None, secrets: bool, **filters: Any) -> None:
    """Print what a failed test shows, with commands that repeat it."""
    if secrets and html is None:
        raise click.UsageError("--secrets is for --html; the text is always masked")
    if html is None:
        click.echo(at.control()("GET", f"/report?{_query(filters)}"), nl=False)
    else:
        found = at.control()("GET", f"/journal?{_query(filters)}")["exchanges"]
        _write_page(at, found, html, secrets=secrets)


def _write_page(at: Where, found: Iterable[dict[str, Any]], target: Path, *, secrets: bool) -> None:
    from emulator.control.report_file import report_page
    from emulator.journal.exchange import Exchange

    exchanges = [Exchange.from_json(each) for each in found]
    page = report_page(at.emulator(), exchanges, title="", notes=(), secrets=secrets)
    _write(page, target, "--html", secrets=secrets)


def _write(text: str, target: Path, option: str, *, secrets: bool) -> None:
    """To stdout for `-`. Raises Misconfigured."""
    if str(target) == "-":
        click.echo(text)
    else:
        write_whole(target, f"{text}\n".encode(), option, PRIVATE if secrets else SHARED)


# --- the world --------------------------------------------------------------------------------------------------------


@ctl.command()
@click.option("--seed", type=int, help="Another seed, for this world only.")
@click.option("--scenario", multiple=True, metavar="NAME|PATH", help="Another scenario; files are read here.")
@_as_json
@_asked
def reset(at: Where, *, seed: int | None, scenario: tuple[str, ...], as_json: bool) -> None:
    """Replace the world by a new one."""
    at.emulator().reset(seed=seed, scenario=scenario or None)
    found = at.control()("GET", "/health")
    _show(found, [ctl_text.world_line(found)], as_json=as_json)


@ctl.command()
@_as_json
@_asked
def state(at: Where, *, as_json: bool) -> None:
    """Print the seed, the clock and how much there is of everything."""
    found = at.control()("GET", "/state")
    _show(found, ctl_text.nested_lines(found), as_json=as_json)


@ctl.command()
@_asked
def snapshot(at: Where) -> None:
    """Print the world as a JSON document, secrets included."""
    click.echo(_json(at.control()("GET", "/snapshot")))


@ctl.command()
@click.option("--env", is_flag=True, help='Print assignments for a shell: eval "$(identity-emulator ctl actors --env)"')
@_as_json
@_asked
def actors(at: Where, *, env: bool, as_json: bool) -> None:
    """Print the scenario's actors with their tokens and keys."""
    found = at.control()("GET", "/actors")
    if env:
        lines: Iterable[str] = (f"export {name}={shlex.quote(value)}" for name, value in found["env"].items())
    else:
        lines = ctl_text.nested_lines(found["actors"])
    _show(found, lines, as_json=as_json and not env)


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


@ctl.command(context_settings=_ANY_OPTION)
@click.argument("move", required=False, metavar="[advance|freeze|resume|skew]")
@click.argument("value", required=False)
@_as_json
@_asked
def clock(at: Where, *, move: str | None, value: str | None, as_json: bool) -> None:
    """Print the emulator's clock, after a move if one is given.

    `advance 61` and `skew -5` take seconds; `freeze` takes a time like 2024-02-15T05:47:17Z, or freezes it now.
    """
    if move is None:
        found = at.control()("GET", "/clock")
    else:
        found = at.control()("POST", "/clock", {move: _one_of(move, _MOVES)(value)})
    _show(found, [ctl_text.clock_line(found)], as_json=as_json)


V = TypeVar("V")


def _one_of(name: str, known: Mapping[str, V]) -> V:
    if name not in known:
        raise click.UsageError(f"{name!r} is none of {', '.join(known)}; {did_you_mean(name, list(known))}")
    return known[name]


# --- faults, stubs and worlds -----------------------------------------------------------------------------------------


@ctl.command(context_settings=_ANY_OPTION)
@click.argument("action", default="list", metavar="[list|add|clear]")
@click.argument("arguments", nargs=-1, metavar="[REQUEST | N] [--NAME VALUE]...")
@_as_json
@_asked
def faults(at: Where, *, action: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """List faults, add one, or clear all or number N.

    `ctl faults add 'POST /identity' --status 503 --nth 2`: each condition and each action of docs/faults.md is an
    option. A value is JSON or a text; without a value it is true.
    """
    found = _one_of(action, _FAULTS)(at, arguments)
    _show(found, ctl_text.fault_lines(found["faults"]), as_json=as_json)


@ctl.command(context_settings=_ANY_OPTION)
@click.argument("action", default="list", metavar="[list|add|clear]")
@click.argument("arguments", nargs=-1, metavar="[REQUEST | N] [NAME=VALUE]...")
@_as_json
@_asked
def stubs(at: Where, *, action: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """List stubs, add one, or clear all or number N.

    `ctl stubs add 'POST /claims' status=201 json='{"id": "1"}'`: the keys are those of docs/stubs.md.
    """
    found = _one_of(action, _STUBS)(at, arguments)
    _show(found, ctl_text.stub_lines(found["stubs"]), as_json=as_json)


@ctl.command(context_settings=_ANY_OPTION)
@click.argument("action", default="list", metavar="[list|open|close]")
@click.argument("arguments", nargs=-1, metavar="[ID] [NAME=VALUE]...")
@_as_json
@_asked
def worlds(at: Where, *, action: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """List the worlds on other ports, open one, or close that with an id.

    `ctl worlds open seed=7 idle_exit=60`: the keys are those of docs/worlds.md.
    """
    found = _one_of(action, _WORLDS)(at, arguments)
    _show(found, ctl_text.world_lines(found["worlds"]), as_json=as_json)


def _listed(kind: str) -> Callable[[Where, Sequence[str]], Any]:
    def listed(at: Where, arguments: Sequence[str]) -> Any:
        if arguments:
            raise click.UsageError(f"`ctl {kind} list` takes no {arguments[0]!r}")
        return at.control()("GET", f"/{kind}")

    return listed


def _cleared(kind: str) -> Callable[[Where, Sequence[str]], Any]:
    def cleared(at: Where, arguments: Sequence[str]) -> Any:
        if len(arguments) > 1 or not all(each.isascii() and each.isdecimal() for each in arguments):
            raise click.UsageError(f"`ctl {kind} clear` takes a number, or nothing for all; not {arguments[-1]!r}")
        control = at.control()
        control("DELETE", f"/{kind}", *({"n": int(each)} for each in arguments))
        return control("GET", f"/{kind}")

    return cleared


def _added(kind: str, body: Callable[[str | None, Mapping[str, Any]], Mapping[str, Any]]) -> Any:
    def added(at: Where, arguments: Sequence[str]) -> Any:
        try:
            wanted = body(*_request_and_values(arguments))
        except (TypeError, ValueError) as error:
            raise Misconfigured(str(error)) from None
        return {kind: [at.control()("POST", f"/{kind}", wanted)]}

    return added


def _step(request: str | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    from emulator.faults.step import step_of

    return {name: value for name, value in step_of(request, values).items() if value is not None}


def _stub(request: str | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"request": request, **values}


_FAULTS = {"list": _listed("faults"), "add": _added("faults", _step), "clear": _cleared("faults")}
_STUBS = {"list": _listed("stubs"), "add": _added("stubs", _stub), "clear": _cleared("stubs")}


def _opened(at: Where, arguments: Sequence[str]) -> Any:
    text, values = _request_and_values(arguments)
    if text is not None:
        raise click.UsageError(f"`ctl worlds open` takes keys and values, like seed=7; not {text!r}")
    return {"worlds": [at.control()("POST", "/worlds", values)]}


def _closed(at: Where, arguments: Sequence[str]) -> Any:
    if len(arguments) != 1 or not arguments[0].isalnum():
        raise click.UsageError("`ctl worlds close` takes the id of one world; `ctl worlds` lists them")
    return at.control()("DELETE", f"/worlds/{arguments[0]}")


_WORLDS = {"list": _listed("worlds"), "open": _opened, "close": _closed}


def _request_and_values(arguments: Sequence[str]) -> tuple[str | None, dict[str, Any]]:
    """`POST /identity --status 503 --hang` as the request and `{"status": 503, "hang": True}`. Raises UsageError.

    `status=503` is the same as `--status 503`: `--json` is an option of `ctl` itself.
    """
    request: str | None = None
    values: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            if not equals and rest and not rest[0].startswith("--"):
                value, equals = rest.pop(0), "="
            values[name.replace("-", "_")] = _value(value) if equals else True
        elif named := _NAMED.fullmatch(word):
            values[named[1]] = _value(named[2])
        elif request is None:
            request = word
        else:
            raise click.UsageError(f"two requests, {request!r} and {word!r}; write it in quotes: 'POST /identity'")
    return request, values


_NAMED = re.compile("([a-z_]+)=(.*)", re.DOTALL)


def _value(text: str) -> Any:
    """JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
