"""`ctl faults`, `ctl stubs` and `ctl worlds`: lists to which something is added, and from which it is removed."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from emulator.cli.address import Where
from emulator.cli.ctl.command import ANY_OPTION, asked, one_of, print_as_json, show
from emulator.cli.ctl.text import fault_lines, stub_lines, world_lines
from emulator.core.errors import Misconfigured


@click.command(context_settings=ANY_OPTION)
@click.argument("action", default="list", metavar="[list|add|clear]")
@click.argument("arguments", nargs=-1, metavar="[REQUEST | N] [--NAME VALUE]...")
@print_as_json
@asked
def faults(at: Where, *, action: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """List faults, add one, or clear all or number N.

    `ctl faults add 'POST /identity' --status 503 --nth 2`: each condition and each action of docs/faults.md is an
    option. A value is JSON or a text; without a value it is true.
    """
    found = one_of(action, _FAULTS)(at, arguments)
    show(found, fault_lines(found["faults"]), as_json=as_json)


@click.command(context_settings=ANY_OPTION)
@click.argument("action", default="list", metavar="[list|add|clear]")
@click.argument("arguments", nargs=-1, metavar="[REQUEST | N] [NAME=VALUE]...")
@print_as_json
@asked
def stubs(at: Where, *, action: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """List stubs, add one, or clear all or number N.

    `ctl stubs add 'POST /claims' status=201 json='{"id": "1"}'`: the keys are those of docs/stubs.md.
    """
    found = one_of(action, _STUBS)(at, arguments)
    show(found, stub_lines(found["stubs"]), as_json=as_json)


@click.command(context_settings=ANY_OPTION)
@click.argument("action", default="list", metavar="[list|open|close]")
@click.argument("arguments", nargs=-1, metavar="[ID] [NAME=VALUE]...")
@print_as_json
@asked
def worlds(at: Where, *, action: str, arguments: tuple[str, ...], as_json: bool) -> None:
    """List the worlds on other ports, open one, or close that with an id.

    `ctl worlds open seed=7 idle_exit=60`: the keys are those of docs/worlds.md.
    """
    found = one_of(action, _WORLDS)(at, arguments)
    show(found, world_lines(found["worlds"]), as_json=as_json)


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
