"""`python -m emulator` is `identity-emulator`."""

import sys

import emulator.cli.parent  # noqa: F401 - it asks for the parent at once
from emulator.cli.signals import end_at_once_when_told


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        end_at_once_when_told()
    from emulator.cli.main import main as command

    command(prog_name="identity-emulator")


if __name__ == "__main__":
    main()
