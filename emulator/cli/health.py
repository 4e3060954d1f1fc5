"""`identity-emulator health`."""

import json
import os

import click


@click.command()
@click.argument("url", required=False)
def health(url: str | None) -> None:
    """Check that the emulator at URL responds: exit status 0 if it does, else 1. For container health checks.

    Without URL: IDENTITY_EMULATOR_URL, else http://127.0.0.1 with the port IDENTITY_EMULATOR_PORT, else 3000.
    """
    from emulator.control.remote import Control
    from emulator.core.errors import Misconfigured

    try:
        state = Control((url or _default()).rstrip("/"), token=None)("GET", "/health")
    except Misconfigured as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(state))


def _default() -> str:
    port = os.environ.get("IDENTITY_EMULATOR_PORT", "3000")
    return os.environ.get("IDENTITY_EMULATOR_URL") or f"http://127.0.0.1:{port}"
