"""What `ctl` prints for people. Secrets of exchanges are masked; an actor is shown with its tokens and keys."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.core.clock import rfc3339
from emulator.core.words import counted
from emulator.journal.exchange import Exchange
from emulator.journal.masking import readable, sent_secrets


def exchange_lines(exchange: Exchange) -> str:
    """When, what and how; then the reason, how many frames went over its WebSocket, and what became of its world."""
    known = sent_secrets(exchange.request.headers)
    moment = rfc3339(exchange.micros)
    actor = f"  {readable(exchange.actor)}" if exchange.actor else ""
    lines = [f"{moment[11:23]}  {exchange.summary}  ({exchange.duration * 1000:.1f} ms){actor}"]
    if exchange.why:
        lines.append(f"why: {readable(exchange.why, secrets=known)}")
    if exchange.websocket is not None:
        count = len(exchange.websocket) + exchange.websocket.dropped
        ended = exchange.websocket.ended
        lines.append(
            f"{counted(count, 'frame')}; {readable(str(ended), secrets=known) if ended else 'the connection is open'}"
        )
    if exchange.outlived:
        lines.append("the world was reset during this request")
    return "\n    ".join(lines)


def clock_line(found: Mapping[str, Any]) -> str:
    return f"{found['now']}{' (frozen)' if found['frozen'] else ''}"


def fault_lines(faults: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in faults:
        told = {name: value for name, value in each.items() if name not in _COUNTS and value is not None}
        yield f"{each['n']}  {each['status']}, seen {each['seen']}, fired {each['fired']}  {_words(told)}"


def stub_lines(stubs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in stubs:
        told = {name: value for name, value in each.items() if name not in _COUNTS and value is not None}
        yield f"{each['n']}  answered {each['answered']}  {_words(told)}"


def world_lines(worlds: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in worlds:
        end = f", closes after {each['idle_exit']:g} s without a request" if each["idle_exit"] else ""
        yield f"{each['id']}  {each['url']}{end}"


_COUNTS = frozenset({"n", "status", "seen", "fired", "done", "answered"})


def _words(found: Mapping[str, Any]) -> str:
    return ", ".join(str(value) if name == "request" else f"{name} {value}" for name, value in found.items())


def nested_lines(found: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A JSON object as indented names and values."""
    width = max((len(name) for name, value in found.items() if not isinstance(value, dict)), default=0)
    for name, value in found.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from nested_lines(value, f"{indent}  ")
        else:
            yield f"{indent}{name:<{width}}  {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)


def world_line(health: Mapping[str, Any]) -> str:
    """The answer to a reset."""
    profiles = ", ".join(f"{api} {name}" for api, name in health["profiles"].items())
    return f"a new world: seed {health['seed']}; profiles: {profiles}"
