"""`identity-emulator conformance`."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import click

from emulator.cli.ctl.command import INTERRUPTED
from emulator.cli.files import has_folder
from emulator.cli.input import file
from emulator.cli.output import allow_end_of_reader
from emulator.conformance import cases, documents, report
from emulator.conformance.cases import Table
from emulator.conformance.documents import Run
from emulator.conformance.identify import NOT_TOLD, date_of, is_emulator, version_of
from emulator.conformance.run import MOST_REQUESTS, PATIENCE, Given, Outcome, run
from emulator.conformance.target import Target, Unusable
from emulator.conformance.tokens import BadKey, Keys
from emulator.core.errors import Misconfigured
from emulator.core.files import SHARED, write_whole
from emulator.core.version import VERSION
from emulator.services.spacetimedb.releases import ALIASES, resolved

_PEM = click.Path(path_type=Path, dir_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=False)
_PROFILES = (*cases.PROFILES, *ALIASES)
_LEAST_WIDTH = 40
_OFTEN = 250
"""Cases after which a terminal is told how far the run is."""


@click.command(options_metavar="--target URL --profile PROFILE [OPTIONS]")
@click.option("--target", metavar="URL", help="The server: http://host:port, or https. Required, except with --list.")
@click.option("--profile", type=click.Choice(_PROFILES, case_sensitive=False), help="What it should be like. Required.")
@click.option("--jwt-priv-key-path", type=_PEM, help="PEM file of the target's private key: then tokens are sent too.")
@click.option("--jwt-pub-key-path", type=_PEM, help="PEM file of its public key.")
@click.option(
    "--database", metavar="NAME", help="A database of the target to connect to: then WebSockets are opened too."
)
@click.option("--api-key", metavar="KEY", help="An API key of the target, for --profile intuition.")
@click.option("--ca-file", type=_PEM, help="PEM file of the CA that signed an https target's certificate.")
@click.option("--diff", metavar="URL", help="Compare with this server instead of with the table.")
@click.option("--list", "only_list", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--all", "all_cases", is_flag=True, help="Show each case that differs, not only the first of each cause.")
@click.option(
    "--max-requests", default=MOST_REQUESTS, show_default=True, type=click.IntRange(1), help="Most requests to send."
)
@click.option(
    "--timeout",
    default=PATIENCE,
    show_default=True,
    type=click.FloatRange(0.1, 60),
    help="Seconds to wait for a response.",
)
@click.option("--junit", type=_FILE, help="Write the outcomes to this file, as JUnit's XML.")
@click.option("--json", "json_file", type=_FILE, help="Write them to this file as JSON; with --list, the list.")
@click.option("--certificate", type=_FILE, help="Write down what was found of a real server, to this file.")
@click.pass_context
def conformance(ctx: click.Context, /, **given: Any) -> None:
    """Hold a server against recorded answers of real servers.

    Requests are sent one at a time. Their only effects are the identities that they create and, with documented,
    e-mail addresses of these. Exit status 0 if all cases that were sent hold, 1 if one differs, 2 for wrong use or a
    target that does not answer.
    """
    allow_end_of_reader()
    asked = _Asked(**given)
    table = cases.table(resolved(asked.named().lower()))
    if asked.only_list:
        _list(asked, table)
        return
    try:
        ctx.exit(_run(asked, table))
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)


@dataclass(frozen=True)
class _Asked:
    """The options."""

    target: str | None
    profile: str | None
    jwt_priv_key_path: Path | None
    jwt_pub_key_path: Path | None
    database: str | None
    api_key: str | None
    ca_file: Path | None
    diff: str | None
    only_list: bool
    all_cases: bool
    max_requests: int
    timeout: float
    junit: Path | None
    json_file: Path | None
    certificate: Path | None

    def named(self) -> str:
        """The profile. Raises click.UsageError."""
        if self.profile is None:
            *names, last = _PROFILES
            raise click.UsageError(f"Missing option '--profile': {', '.join(names)} or {last}")
        return self.profile

    def server(self, url: str) -> Target:
        """Raises Unusable and Misconfigured."""
        if self.ca_file is not None and not url.startswith("https:"):
            raise Misconfigured("--ca-file is for an https target")
        return Target.of(url, None if self.ca_file is None else str(self.ca_file))

    def given(self) -> Given:
        """Raises Misconfigured."""
        return Given(self._keys(), self.database, self.api_key)

    def _keys(self) -> Keys | None:
        private, public = self.jwt_priv_key_path, self.jwt_pub_key_path
        if private is None and public is None:
            return None
        if private is None or public is None:
            raise Misconfigured("--jwt-priv-key-path and --jwt-pub-key-path: give both, or none")
        try:
            return Keys.of(file(private), file(public))
        except BadKey as error:
            raise Misconfigured(f"--jwt-priv-key-path {private}, --jwt-pub-key-path {public}: {error}") from None

    def check_files(self) -> None:
        """Before anything is sent. Raises Misconfigured."""
        for option, path in (("junit", self.junit), ("json", self.json_file), ("certificate", self.certificate)):
            if path is not None and not has_folder(path):
                raise Misconfigured(f"--{option} {path}: there is no such folder")
            if path is not None and not os.access(path.absolute().parent, os.W_OK):
                raise Misconfigured(f"--{option} {path}: the folder can't be written to")


def _list(asked: _Asked, table: Table) -> None:
    for option, path in (("junit", asked.junit), ("certificate", asked.certificate)):
        if path is not None:
            raise click.UsageError(f"--list sends nothing; leave out --{option}")
    asked.check_files()
    if asked.json_file is not None:
        write_whole(asked.json_file, documents.list_as_json(table), "--json", SHARED)
        return
    _print((_about(table), *report.listed(table.cases, _width())))


def _run(asked: _Asked, table: Table) -> int:
    """The exit status. Raises Misconfigured."""
    if asked.target is None:
        raise click.UsageError("Missing option '--target': the address of the server, like http://127.0.0.1:3000")
    if asked.certificate is not None and asked.diff is not None:
        raise click.UsageError("--certificate is about recorded answers; leave out --diff")
    asked.check_files()
    try:
        target = asked.server(asked.target)
        other = None if asked.diff is None else asked.server(asked.diff)
        given = asked.given()
        if asked.certificate is not None and is_emulator(target):
            raise Misconfigured(f"--certificate is for real servers, and {asked.target} is an emulator: leave it out")
        sent = run(table.cases, target, given, most=asked.max_requests, other=other, patience=asked.timeout)
        _print((*_begun(asked, table, target, other), ""))
        outcomes = list(_seen(sent, len(table.cases)))
        found = Run(asked.target, asked.diff or table.about, table.profile, outcomes)
        _print_outcomes(asked, found)
        _write(asked, found, target)
    except Unusable as error:
        raise Misconfigured(str(error)) from None
    return int(any(outcome.difference for outcome in outcomes))


def _seen(outcomes: Iterator[Outcome], count: int) -> Iterator[Outcome]:
    """With a line on a terminal every few seconds of a usual run."""
    for number, outcome in enumerate(outcomes, 1):
        yield outcome
        if number % _OFTEN == 0 and sys.stderr.isatty():
            click.echo(f"{number} of {count} …", err=True)


def _width() -> int:
    """Of the terminal, or as COLUMNS says; 80 for what is no terminal."""
    return max(_LEAST_WIDTH, shutil.get_terminal_size((report.WIDTH, 24)).columns)


def _about(table: Table) -> str:
    return "\n".join(wrap(f"{table.profile}: {len(table.cases)} cases, {table.about}", _width()))


def _begun(asked: _Asked, table: Table, target: Target, other: Target | None) -> Iterator[str]:
    """Which servers are held against what."""
    yield f"{asked.target}{_version(target)}"
    if other is None:
        yield _about(table)
    else:
        yield f"compared with {asked.diff}{_version(other)}"
        yield f"by the {len(table.cases)} cases of {table.profile}"


def _version(target: Target) -> str:
    version = version_of(target)
    return "" if version == NOT_TOLD else f", version {version}"


def _print_outcomes(asked: _Asked, found: Run) -> None:
    """The differences, the table, the verdict."""
    titles = report.TITLES if asked.diff is None else ("the other server", "the target")
    if asked.all_cases:
        for outcome in found.outcomes:
            if outcome.difference:
                _print((*report.difference(outcome, titles, _width()), ""))
    else:
        _print(report.causes(found.outcomes, titles, _width()))
    _print((*report.summary(found.outcomes), ""))
    _print(report.verdict(found.outcomes, asked.diff or found.profile, _width()))


def _write(asked: _Asked, found: Run, target: Target) -> None:
    """Raises Misconfigured."""
    if asked.junit is not None:
        write_whole(asked.junit, documents.as_junit(found), "--junit", SHARED)
    if asked.json_file is not None:
        write_whole(asked.json_file, documents.as_json(found), "--json", SHARED)
    if asked.certificate is not None:
        tool = f"identity-emulator {VERSION}"
        page = documents.certificate(found, version_of(target), date_of(target), tool)
        write_whole(asked.certificate, page, "--certificate", SHARED)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
