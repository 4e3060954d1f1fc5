"""`identity-emulator scenario`."""

import sys

import click

from emulator.cli.input import stdin


@click.group()
def scenario() -> None:
    """List, print and check scenario files. They describe initial data and faults."""


@scenario.command(name="list")
def list_() -> None:
    """List the bundled scenarios with their descriptions."""
    from emulator.scenario.loader import find
    from emulator.scenario.locate import bundled

    names = bundled()
    for name in names:
        click.echo(f"{name:<{max(map(len, names))}}  {find([name]).scenario.description}")


@scenario.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a bundled scenario, as a start for your own file."""
    from emulator.scenario.locate import bundled_text

    click.echo(bundled_text(name), nl=False)


@scenario.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def validate(files: tuple[str, ...]) -> None:
    """Check scenario files or bundled scenarios; - reads stdin. Prints one line per mistake.

    Exit status 1 if there is any, 2 if a file can't be read.
    """
    statuses = [_validate(file) for file in dict.fromkeys(files)]
    sys.exit(max(statuses))


def _validate(file: str) -> int:
    from emulator.scenario.loader import problems_in, problems_of
    from emulator.scenario.locate import CannotRead

    try:
        found = problems_in(stdin(), "stdin") if file == "-" else problems_of(file)
    except CannotRead as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    click.echo("\n".join(map(str, found)) or f"{'stdin' if file == '-' else file}: valid")
    return 1 if found else 0


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from emulator.scenario.json_schema import schema_text

    click.echo(schema_text(), nl=False)
