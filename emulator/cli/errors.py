"""How a command says no."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from emulator.core.errors import Misconfigured


class CannotStart(click.ClickException):
    """One line that says what to do, exit status 2, no traceback."""

    exit_code = 2


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What can't be is said in one line, without a traceback."""
    try:
        yield
    except Misconfigured as error:
        raise CannotStart(str(error)) from None
