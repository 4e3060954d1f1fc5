"""`identity-emulator health`."""

import json
import os

import click


@click.command()
@click.argument("url", required=False)
def health(url: str | None) -> None:
    """Ask the emulator at URL whether it answers: exit status 0, else 1.

    Without URL: IDENTITY_EMULATOR_URL, else http://127.0.0.1 and IDENTITY_EMULATOR_PORT or 3000. For container health
    checks.
    """
    from emulator.control.remote import Control
    from emulator.core.errors import Misconfigured

    try:
        told = Control((url or _default()).rstrip("/"), token=None)("GET", "/health")
    except Misconfigured as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(told))


def _default() -> str:
    port = os.environ.get("IDENTITY_EMULATOR_PORT", "3000")
    return os.environ.get("IDENTITY_EMULATOR_URL") or f"http://127.0.0.1:{port}"
