"""The command `identity-emulator`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from emulator.cli.environment import as_given
from emulator.cli.output import printing
from emulator.core.errors import Misconfigured
from emulator.core.version import VERSION

COMMANDS: Mapping[str, str] = {
    "serve": "emulator.cli.serve:serve",
    "exec": "emulator.cli.execute:execute",
    "ctl": "emulator.cli.ctl:ctl",
    "health": "emulator.cli.health:health",
    "scenario": "emulator.cli.scenario:scenario",
    "token": "emulator.cli.token:token",
    "conformance": "emulator.cli.conformance:conformance",
}
"""Imported when called: to decode a token, no server is imported."""


class WrongUse(click.ClickException):
    """An error in one line that says what to do; exit status 2, no traceback."""

    exit_code = 2


class Commands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def main(self, *args: Any, **extra: Any) -> Any:
        with printing():
            return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Misconfigured as error:
            raise WrongUse(as_given(str(error), ctx)) from None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="identity-emulator")
def main() -> None:
    """Emulate SpacetimeDB's and Intuition's identity APIs for tests."""
