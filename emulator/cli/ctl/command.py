"""What all commands of `ctl` have in common: which emulator they ask, and how they print."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from emulator.cli.address import asking, where
from emulator.cli.output import allow_end_of_reader
from emulator.core.suggestions import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V")

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a shell."""

ANY_OPTION = {"ignore_unknown_options": True}
"""Also a negative number is an argument then."""


def asked(function: F) -> Callable[..., Any]:
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


print_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, as the control route answers it.")


def show(found: Any, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(found))
    else:
        for line in lines:
            click.echo(line)


def to_json(value: Any) -> str:
    """In one line, which stdout takes as it is: JSON itself leaves DEL unescaped."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def one_of(name: str, known: Mapping[str, V]) -> V:
    if name not in known:
        raise click.UsageError(f"{name!r} is none of {', '.join(known)}; {did_you_mean(name, list(known))}")
    return known[name]
