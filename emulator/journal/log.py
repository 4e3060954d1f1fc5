"""What the log says of requests and control calls: one record each, for any handler. Without one nothing is made."""

import logging
from typing import Any

from emulator.journal.exchange import Exchange
from emulator.journal.masking import readable, sent_secrets

logger = logging.getLogger("emulator")

_LONGEST_PATH = 200


def log_exchange(exchange: Exchange) -> None:
    """At level info with a reason, that is for errors and faults, else debug; without the query, which can be long."""
    level = logging.INFO if exchange.why else logging.DEBUG
    if logger.isEnabledFor(level):
        secrets = sent_secrets(exchange.request.headers)
        _write(
            level,
            {
                "event": "request",
                "method": exchange.method,
                "path": readable(exchange.path, _LONGEST_PATH, secrets),
                "status": exchange.status,
                "operation": exchange.operation,
                "actor": readable(exchange.actor),
                "fault": readable(exchange.fault),
                "why": readable(exchange.why, secrets=secrets),
                "ms": round(exchange.duration * 1000, 1),
            },
        )


def log_control(method: str, path: str, operation: str, status: int, *, why: str, seconds: float) -> None:
    """At level info what changed something or was refused, else debug. `why` tells who called."""
    changes = method not in {"GET", "HEAD"}
    level = logging.INFO if changes or status >= 400 else logging.DEBUG
    if logger.isEnabledFor(level):
        _write(
            level,
            {
                "event": "control",
                "method": method,
                "path": readable(path, _LONGEST_PATH),
                "status": status,
                "operation": operation,
                "actor": "",
                "fault": "",
                "why": readable(why),
                "ms": round(seconds * 1000, 1),
            },
        )


def _write(level: int, fields: dict[str, Any]) -> None:
    text = "{method} {path} {status} {why}".format_map(fields)
    logger.log(level, "%s", text, extra={"fields": fields})
