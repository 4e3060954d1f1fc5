"""`identity-emulator health`."""

import json

import click

from emulator.cli.address import usual_address
from emulator.cli.environment import PREFIX, setting
from emulator.core.errors import Misconfigured


@click.command()
@click.argument("url", required=False)
def health(url: str | None) -> None:
    """Check that an emulator responds.

    The exit status is 0 if the one at URL does, else 1. For container health checks.

    Without URL: IDENTITY_EMULATOR_URL, else http://127.0.0.1 with the port IDENTITY_EMULATOR_PORT, else 3000.
    """
    from emulator.control.remote import Control

    try:
        state = Control((url or setting("URL") or usual_address()).strip().rstrip("/"), token=None)("GET", "/health")
    except Misconfigured as error:
        raise click.ClickException(_as_given(str(error), url)) from None
    click.echo(json.dumps(state))


def _as_given(message: str, url: str | None) -> str:
    """The message, with the variable that gave the address if one did."""
    found = [] if url else [PREFIX + name for name in ("URL", "PORT") if setting(name)]
    return f"{found[0]}: {message}" if found and found[0] not in message else message
