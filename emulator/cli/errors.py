"""Errors of the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from emulator.core.errors import Misconfigured


class CannotStart(click.ClickException):
    """An error in one line that says what to do; exit status 2, no traceback."""

    exit_code = 2


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a Misconfigured into an error in one line, without a traceback."""
    try:
        yield
    except Misconfigured as error:
        raise CannotStart(str(error)) from None
