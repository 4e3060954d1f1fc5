"""`identity-emulator ctl`: asks a running emulator, and steers it, through its control routes.

Exit status 0 when it was done, 2 when not: wrong use, no emulator answers, or it refuses.
"""

import click

from emulator.cli.ctl import journal, lists, world

_COMMANDS = (
    journal.journal,
    journal.report,
    world.reset,
    world.state,
    world.snapshot,
    world.actors,
    world.clock,
    lists.faults,
    lists.stubs,
    lists.worlds,
)


@click.group(commands=_COMMANDS)
def ctl() -> None:
    """Ask and steer a running emulator.

    It is found by --url, --ready-file, IDENTITY_EMULATOR_URL, IDENTITY_EMULATOR_READY_FILE, else on port 3000. Exit
    status 0 if it was done, 2 if not: wrong use, no emulator answers, or it refuses.
    """
