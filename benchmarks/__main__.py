"""`python -m benchmarks`: measure everything, judge it, and write it down. Exit status 1 when a budget is exceeded."""

import argparse
import compileall
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import render
from benchmarks.budgets import Results, judge
from benchmarks.fixture import fixture
from benchmarks.load import client
from benchmarks.memory import memory
from benchmarks.rates import rates
from benchmarks.resets import resets
from benchmarks.servers import HERE, ROOT
from benchmarks.settings import FULL, QUICK, Settings
from benchmarks.starts import starts

RESULTS = HERE / "results.json"
LAST = HERE / ".last.json"
"""What is measured so far, should a run end early, and what a part of a run gave."""

GROUPS: dict[str, Callable[[Settings], dict[str, Any]]] = {
    "starts": starts,
    "fixture": fixture,
    "memory": memory,
    "resets": resets,
    "rates": rates,
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(GROUPS), help="this group alone; may be given again")
    parser.add_argument("--quick", action="store_true", help="few and short runs, to see that everything works")
    parser.add_argument("--runs", type=int, help="how many runs alternate")
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="measure another command line of the emulator too; `{port}` stands for its port",
    )
    parser.add_argument(
        "--route", action="append", default=[], help="of the rates, only routes with this in their name"
    )
    parser.add_argument("--keep", action="store_true", help="put what --only measures into the page, beside the rest")
    parser.add_argument("--out", type=Path, help="where the results go")
    parser.add_argument("--render", action="store_true", help="measure nothing, write docs/performance.md again")
    options = parser.parse_args(arguments)
    if options.keep and options.quick:
        parser.error("--keep is for the page, and what --quick measures says little")
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    found = QUICK if options.quick else FULL
    pairs = (variant.partition("=") for variant in options.variant)
    variants = {name: shlex.split(command) for name, _, command in pairs}
    return found._replace(
        runs=options.runs or found.runs, variants={**found.variants, **variants}, routes=tuple(options.route)
    )


def measure(groups: Sequence[str], settings: Settings) -> Results:
    _compile()
    results: Results = {"made": made(settings), "missing": {}, "versions": {}}
    for group in groups:
        print(group, file=sys.stderr, flush=True)
        for name, found in GROUPS[group](settings).items():
            results[name] = {**results.get(name, {}), **found}
        _write(LAST, results)
    return results


def beside(kept: Results, results: Results) -> Results:
    """What was measured now, and of what was kept the rest."""
    return {group: {**kept.get(group, {}), **results.get(group, {})} for group in {**kept, **results}}


def _write(path: Path, results: Results) -> None:
    path.write_text(json.dumps(render.rounded(results), indent=1) + "\n", encoding="utf-8")


def _compile() -> None:
    """As pip leaves an installed package; compiling is not what is measured."""
    compileall.compile_dir(ROOT / "emulator", quiet=1)
    compileall.compile_file(ROOT / "conftest_plugin.py", quiet=1)


def made(settings: Settings) -> dict[str, Any]:
    """What the results come from."""
    return {
        "python": platform.python_version(),
        "aiohttp": importlib.metadata.version("aiohttp"),
        "cryptography": importlib.metadata.version("cryptography"),
        "cores": os.cpu_count(),
        "load": _load(),
        "runs": settings.runs,
        "seconds": settings.seconds,
    }


def _load() -> str:
    if client() != "wrk":
        return "benchmarks.client (there is no wrk)"
    first = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()
    return " ".join(first[:2])


def report(results: Results, *, whole: bool) -> bool:
    """Print what was judged; true when it is within its budgets. In a whole run only a missing peer excuses a gap."""
    verdicts = [each for each in judge(results) if whole or each.measured is not None]
    for each in verdicts:
        print(render.line(each))
    for peer, why in results["missing"].items():
        print(f"{peer} is missing: {why}")
    return all(each.within or each.excused(results["missing"]) for each in verdicts)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    if options.render:
        render.write(json.loads(RESULTS.read_text(encoding="utf-8")))
        return
    groups = options.only or list(GROUPS)
    whole = not options.only and not options.route
    results = measure(groups, settings_of(options))
    if options.keep:
        results = beside(json.loads(RESULTS.read_text(encoding="utf-8")), results)
    out = options.out or (RESULTS if options.keep or (whole and not options.quick) else LAST)
    _write(out, results)
    if out == RESULTS:
        render.write(results)
    raise SystemExit(0 if report(results, whole=whole) else 1)


if __name__ == "__main__":
    main()
