"""What the lower layers say of an argument, as the errors of the handle."""

from collections.abc import Iterator
from contextlib import contextmanager

from emulator.core.arguments import wrong_argument
from emulator.core.errors import WrongArgument


@contextmanager
def judged(method: str) -> Iterator[None]:
    """A ValueError within the block is a WrongArgument of a method, with an example if it names an argument of one."""
    try:
        yield
    except WrongArgument:
        raise
    except ValueError as error:
        text = str(error)
        raise wrong_argument(method, text, _named_in(text)) from None


def _named_in(text: str) -> str:
    """The argument that a message names."""
    if (first := text.partition(":")[0]).isidentifier():
        return first
    return next((name for name in ("null_exp", "expires_in") if name in text), "")
