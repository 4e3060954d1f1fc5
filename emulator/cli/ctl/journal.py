"""`ctl journal` and `ctl report`: what was asked, and why it was refused."""

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import click

from emulator.cli.address import Where
from emulator.cli.ctl.command import asked, to_json
from emulator.cli.ctl.text import exchange_lines
from emulator.core.files import PRIVATE, SHARED, write_whole

F = TypeVar("F", bound=Callable[..., Any])

_LOOK_AGAIN = 0.2
"""Seconds between two looks of --follow."""

_FILTERS = (
    click.option("--method", help="Only requests with this method."),
    click.option("--path", help="Only requests to this path; * is one segment, ** any number."),
    click.option("--status", help="Only responses with this status: 401, or 4xx."),
    click.option("--since", metavar="RFC3339", help="Only from this time on, by the emulator's clock."),
    click.option("--body", help="Only requests with this text in their body."),
    click.option("--refused", is_flag=True, help="Only requests that were refused."),
    click.option("--last", type=click.IntRange(0), metavar="N", help="Only the last N of them."),
)


def _filtering(command: F) -> F:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _query(filters: Mapping[str, Any]) -> str:
    given = {name: "true" if value is True else value for name, value in filters.items() if value not in {None, False}}
    if filters["last"] == 0:
        given["last"] = 0
    return urlencode(given, errors="surrogateescape")


@click.command()
@_filtering
@click.option("--follow", is_flag=True, help="Go on with each exchange as it comes, until the emulator ends.")
@click.option("--har", metavar="FILE", type=click.Path(path_type=Path), help="Write it as HAR 1.2; - is stdout.")
@click.option("--secrets", is_flag=True, help="With --har: don't mask tokens and keys.")
@click.option("--json", "as_json", is_flag=True, help="Print each exchange as JSON in a line, secrets included.")
@asked
def journal(at: Where, *, follow: bool, har: Path | None, secrets: bool, as_json: bool, **filters: Any) -> None:
    """Print the exchanges, oldest first: what was answered, and why."""
    if har is not None and (follow or as_json):
        raise click.UsageError(f"--har writes a whole journal once; leave out {'--follow' if follow else '--json'}")
    if secrets and har is None:
        raise click.UsageError("--secrets is for --har; --json shows them always")
    if follow:
        _follow(at, filters, as_json=as_json)
        return
    found = at.control()("GET", f"/journal?{_query(filters)}")["exchanges"]
    if har is None:
        _print_exchanges(found, as_json=as_json)
    else:
        _write_har(found, at.url, har, secrets=secrets)


def _print_exchanges(found: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    from emulator.journal.exchange import Exchange

    for each in found:
        click.echo(to_json(each) if as_json else exchange_lines(Exchange.from_json(each)))


def _write_har(found: Iterable[dict[str, Any]], url: str, target: Path, *, secrets: bool) -> None:
    from emulator.journal.exchange import Exchange
    from emulator.journal.har import har

    text = to_json(har([Exchange.from_json(each) for each in found], url, secrets=secrets))
    _write(text, target, "--har", secrets=secrets)


def _follow(at: Where, filters: Mapping[str, Any], *, as_json: bool) -> None:
    """Until the emulator ends, which is a good end. Raises Misconfigured if none answers at first."""
    from emulator.control.remote import Unreachable

    control, pause = at.control(), threading.Event().wait
    found = control("GET", f"/journal?{_query(filters)}")
    _print_exchanges(found["exchanges"], as_json=as_json)
    seen = found["total"]
    try:
        while not pause(_LOOK_AGAIN):
            total = control("GET", "/state")["journal"]["total"]
            seen = seen if total >= seen else 0  # it was reset
            if total > seen:
                found = control("GET", f"/journal?{_query({**filters, 'last': total - seen})}")
                _print_exchanges((each for each in found["exchanges"] if each["n"] > seen), as_json=as_json)
                seen = found["total"]
    except Unreachable:
        click.echo(f"the emulator at {at.url} has ended", err=True)


@click.command()
@_filtering
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write it as a page; - is stdout.")
@click.option("--secrets", is_flag=True, help="With --html: don't mask tokens and keys.")
@asked
def report(at: Where, *, html: Path | None, secrets: bool, **filters: Any) -> None:
    """Print what a failed test shows, with commands that repeat it."""
    if secrets and html is None:
        raise click.UsageError("--secrets is for --html; the text is always masked")
    if html is None:
        click.echo(at.control()("GET", f"/report?{_query(filters)}"), nl=False)
    else:
        found = at.control()("GET", f"/journal?{_query(filters)}")["exchanges"]
        _write_page(at, found, html, secrets=secrets)


def _write_page(at: Where, found: Iterable[dict[str, Any]], target: Path, *, secrets: bool) -> None:
    from emulator.control.report_file import report_page
    from emulator.journal.exchange import Exchange

    exchanges = [Exchange.from_json(each) for each in found]
    page = report_page(at.emulator(), exchanges, title="", notes=(), secrets=secrets)
    _write(page, target, "--html", secrets=secrets)


def _write(text: str, target: Path, option: str, *, secrets: bool) -> None:
    """To stdout for `-`. Raises Misconfigured."""
    if str(target) == "-":
        click.echo(text)
    else:
        write_whole(target, f"{text}\n".encode(), option, PRIVATE if secrets else SHARED)
