"""`identity-emulator scenario`."""

import sys

import click


@click.group()
def scenario() -> None:
    """List, print and check scenario files, which describe initial data and faults."""


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
    """Check scenario files or bundled scenarios. Prints one line per mistake; exit status 1 if there is any."""
    from emulator.scenario.loader import problems_of

    problems = {file: problems_of(file) for file in files}
    for file, found in problems.items():
        click.echo("\n".join(map(str, found)) or f"{file}: valid")
    sys.exit(any(problems.values()))


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from emulator.scenario.json_schema import schema_text

    click.echo(schema_text(), nl=False)
