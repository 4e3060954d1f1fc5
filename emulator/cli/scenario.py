"""`identity-emulator scenario`."""

import sys

import click

from emulator.cli.errors import one_line_errors


@click.group()
def scenario() -> None:
    """Look at scenarios: worlds described in files."""


@scenario.command(name="list")
def list_() -> None:
    """Name the bundled ones, and what each is for."""
    from emulator.scenario.loader import find
    from emulator.scenario.locate import bundled

    names = bundled()
    for name in names:
        click.echo(f"{name:<{max(map(len, names))}}  {find([name]).scenario.description}")


@scenario.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a bundled one, to begin a file of your own with."""
    from emulator.scenario.locate import bundled_text

    with one_line_errors():
        click.echo(bundled_text(name), nl=False)


@scenario.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def validate(files: tuple[str, ...]) -> None:
    """Say all that is wrong with scenario files, or bundled ones, one line each; exit status 1 if anything is."""
    from emulator.scenario.loader import problems_of

    problems = {file: problems_of(file) for file in files}
    for file, found in problems.items():
        click.echo("\n".join(map(str, found)) or f"{file}: nothing is wrong")
    sys.exit(any(problems.values()))


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from emulator.scenario.json_schema import schema_text

    click.echo(schema_text(), nl=False)
