"""Measure everything, judge it by its budgets, and write it down. Exit status 1 when a budget is exceeded."""

import argparse
import compileall
import importlib.metadata
import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import render
from benchmarks.budgets import Results, judge
from benchmarks.fixture import fixture
from benchmarks.load import client_name
from benchmarks.memory import memory
from benchmarks.rates import rates
from benchmarks.resets import resets
from benchmarks.servers import HERE, ROOT
from benchmarks.settings import FULL, QUICK, Settings
from benchmarks.sockets import sockets
from benchmarks.starts import starts

RESULTS = HERE / "results.json"
LAST = HERE / ".last.json"
"""What is measured so far, should a run end early, and what a part of a run gave."""

GROUPS: dict[str, Callable[[Settings], dict[str, Any]]] = {
    group.__name__: group for group in (starts, fixture, memory, resets, sockets, rates)
}

_COMPARE = """\
Versions are compared side by side in one run, under 16 connections. Have the old one in another folder, and measure it
twice: what its two runs differ by is what the measurement can't tell apart.

  python -m benchmarks --only rates \\
    --variant "old=env PYTHONPATH=../old .venv/bin/python -P -m emulator serve --port {port} --seed 7" \\
    --variant "old again=env PYTHONPATH=../old .venv/bin/python -P -m emulator serve --port {port} --seed 7"

For each route, the CPU of a request of all three is printed: the median of the runs, the least and the most of them,
and the change from the first variant. Look for routes where identity-emulator, which is this version, is up by more
than "old again" differs from "old", or by more than 8 %. On a busy machine the change of the least says more, and more
--runs help. Routes that read rows add a --scenario to each command.
"""


def variant(text: str) -> tuple[str, list[str]]:
    name, _, command = text.partition("=")
    if "{port}" not in command:
        raise argparse.ArgumentTypeError("it is NAME=COMMAND, and the command has {port} in it")
    return name, shlex.split(command)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=_COMPARE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=list(GROUPS), help="this group alone; may be given again")
    parser.add_argument("--quick", action="store_true", help="few and short runs, to see that everything works")
    parser.add_argument("--runs", type=int, help="how many runs of each server, in turn")
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        type=variant,
        metavar="NAME=COMMAND",
        help="start and rates of another command line of the emulator too, and of no peer; see below",
    )
    parser.add_argument("--route", action="append", help="of the rates, only routes with this in their name")
    parser.add_argument("--keep", action="store_true", help="put what --only measures into the page, beside the rest")
    parser.add_argument("--out", type=Path, help="where the results go")
    parser.add_argument("--render", action="store_true", help="measure nothing, write docs/performance.md again")
    options = parser.parse_args(arguments)
    if options.keep and (options.quick or options.variant):
        parser.error("--keep is for the page: not for what --quick measures, nor for a --variant")
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    found = QUICK if options.quick else FULL
    routes = tuple(options.route or found.routes)
    return found._replace(runs=options.runs or found.runs, variants=dict(options.variant), routes=routes)


def measure(groups: Sequence[str], settings: Settings) -> Results:
    # As pip leaves an installed package; compiling is not what is measured.
    compileall.compile_dir(ROOT / "emulator", quiet=1)
    compileall.compile_file(ROOT / "conftest_plugin.py", quiet=1)
    results: Results = {"made": made(settings), "missing": {}, "versions": {}}
    for group in groups:
        print(group, file=sys.stderr, flush=True)
        results = beside(results, GROUPS[group](settings))
        write(LAST, results)
    return results


def beside(kept: Results, results: Results) -> Results:
    """What was measured now, and of what was kept the rest."""
    return {group: {**kept.get(group, {}), **results.get(group, {})} for group in {**kept, **results}}


def rounded(value: Any) -> Any:
    """Results with as many digits as mean something, for a file that can be read."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def write(path: Path, results: Results) -> None:
    text = json.dumps(rounded(results), indent=1)
    one_line = re.sub(r"\[[^\[\]{}]*\]", lambda samples: " ".join(samples[0].split()), text)
    path.write_text(one_line + "\n", encoding="utf-8")


def made(settings: Settings) -> dict[str, Any]:
    """What the results come from."""
    processor = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return {
        "python": platform.python_version(),
        "aiohttp": importlib.metadata.version("aiohttp"),
        "cryptography": importlib.metadata.version("cryptography"),
        "cores": os.cpu_count(),
        "processor": processor[1] if processor else platform.machine(),
        "load": client_name(),
        "runs": settings.runs,
        "seconds": settings.seconds,
        "variants": list(settings.variants),
    }


def report(results: Results, *, whole: bool) -> bool:
    """Print what was judged; true when it is within its budgets. In a whole run only a missing peer excuses a gap."""
    verdicts = [each for each in judge(results) if whole or each.measured is not None]
    for text in (*map(render.line, verdicts), *render.compared(results)):
        print(text)
    for peer, why in results["missing"].items():
        print(f"{peer} is missing: {why}")
    return all(each.within or each.excused(results["missing"]) for each in verdicts)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.render:
        render.write(json.loads(RESULTS.read_text(encoding="utf-8")))
        return
    whole = not (options.only or options.route or options.variant)
    results = measure(options.only or list(GROUPS), settings_of(options))
    if options.keep:
        results = beside(json.loads(RESULTS.read_text(encoding="utf-8")), results)
    out = options.out or (RESULTS if options.keep or (whole and not options.quick) else LAST)
    write(out, results)
    if out == RESULTS:
        render.write(rounded(results))
    raise SystemExit(0 if report(results, whole=whole) else 1)


if __name__ == "__main__":
    main()
