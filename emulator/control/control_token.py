"""The control token as people write it: on a command line, in a variable, in a secret file."""

from pathlib import Path

from emulator.core.errors import Misconfigured

_PRINTABLE = range(0x20, 0x7F)
_LONGEST = 8 * 1024
"""Bytes of a file with a token."""


def control_token(text: str) -> str:
    """The token without blanks and line ends around it. Raises Misconfigured for one that no header can carry.

    The message does not quote the token, since messages are logged.
    """
    token = text.strip()
    if not token:
        raise Misconfigured("the control token is empty")
    for place, character in enumerate(token, 1):
        if ord(character) not in _PRINTABLE:
            raise Misconfigured(
                f"character {place} of the control token is U+{ord(character):04X}, which no header can carry; "
                "use printable ASCII"
            )
    return token


def read_control_token(file: Path) -> str:
    """The token in a file. Raises Misconfigured."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LONGEST + 1)
    except OSError as error:
        raise Misconfigured(f"can't read --control-token-file {file}: {error.strerror or error}") from None
    if len(text) > _LONGEST:
        raise Misconfigured(f"--control-token-file {file} has more than {_LONGEST} bytes")
    return control_token(text.decode("utf-8-sig", "replace"))
