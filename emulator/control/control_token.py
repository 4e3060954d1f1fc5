"""The control token as people write it: on a command line, in a variable, in a secret file."""

from emulator.core.errors import Misconfigured

_PRINTABLE = range(0x20, 0x7F)


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
