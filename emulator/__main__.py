"""`python -m emulator` is `identity-emulator`."""

from emulator.cli.main import main

if __name__ == "__main__":
    main(prog_name="identity-emulator")
