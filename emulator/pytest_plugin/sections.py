"""What the report of a failed test says of an emulator."""

import os
from collections.abc import Sequence

from emulator.control.emulator import Address, Emulator
from emulator.control.no_proxy import proxied
from emulator.core.errors import Misconfigured
from emulator.journal.exchange import Exchange
from emulator.journal.report import short
from emulator.pytest_plugin.settings import ReportLimits

SECTION = "identity emulator"
TEARDOWN = "identity emulator, in teardown"
"""pytest prints the sections of a passed teardown below the failed test, if `teardown` is in their name."""
UNMATCHED = "identity emulator, unmatched in teardown"


def section(
    emulator: Emulator, exchanges: Sequence[Exchange], lost: Sequence[str], limits: ReportLimits, *, secrets: bool
) -> str:
    """The exchanges, and what else may be the reason for a failure."""
    notes = [*_waiting(emulator), *_lost(lost), *(() if exchanges else _proxied(emulator))]
    return "\n".join([emulator.report(exchanges, secrets=secrets, **limits), *notes])


def property_of(exchanges: Sequence[Exchange]) -> tuple[str, object]:
    """For junit XML, which has no sections."""
    return ("identity_emulator", short(exchanges))


def _waiting(emulator: Emulator) -> list[str]:
    try:
        return [f"fault not done: {fault!r}" for fault in emulator.faults if not fault.done]
    except Misconfigured:  # a remote emulator that has stopped
        return []


def _lost(lost: Sequence[str]) -> list[str]:
    if not lost:
        return []
    return [
        f"not in this world, which began after it: what wider fixtures made with {', '.join(lost)}. "
        "Put it into the scenario of identity_emulator_config; or give the fixture a world of its own, with "
        "identity_emulator_factory; or keep a world for longer, with identity_emulator_reset = module (or session) in "
        "the ini file"
    ]


def _proxied(emulator: Emulator) -> list[str]:
    host = Address(emulator.url, "").host
    if (variable := proxied(host, os.environ)) is None:
        return []
    return [
        f"{variable} is set, and NO_PROXY does not name {host}: the proxy may have got the requests. "
        "identity_emulator.patch_env(monkeypatch) and identity_emulator.env() exclude the host"
    ]
