"""Recorded rows, in the forms in which they were written down: what is sent, and what came back."""

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from emulator.conformance.cases import Case, Frame, Step, Turn
from emulator.conformance.websockets import PING

Row = Mapping[str, Any]


def read(path: Path) -> list[Case]:
    """The cases of a file, whose name says its form; with `.gz` it is compressed."""
    name = path.name.removesuffix(".gz")
    return list(_FORMS[name.partition("-")[2] or name](text_of(path)))


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


# --- one JSON object in each line: `name`, `request_b64` and the like, `response_b64`, `closed` -----------------------


def _lines(text: str) -> Iterator[Case]:
    moment = None
    for line in text.splitlines():
        row = json.loads(line)
        response = b64decode(row["response_b64"])
        moment = _date(response) or moment  # a case without a response was recorded after the one before
        group = re.split(r"[: ]", row["name"], maxsplit=1)[0]
        yield Case(row["name"], _steps(row), response, row["closed"], moment, group=group)


def _date(response: bytes) -> datetime | None:
    found = re.search(rb"\r\ndate: ([^\r]+)\r\n", response)
    return parsedate_to_datetime(found[1].decode()) if found else None


def _steps(row: Row) -> tuple[Step, ...]:
    form = next(form for form in ("steps", "request_parts", "request_form", "request_b64") if form in row)
    return tuple(_STEPS_OF[form](row[form]))


def _listed(steps: Iterable[list[Any]]) -> Iterator[Step]:
    for do, argument in steps:
        yield Step(do, b64decode(argument) if do == "send" else argument)


def _parts(parts: Iterable[Row]) -> Iterator[Step]:
    """`{b64}`, or `{byte, times}`."""
    yield Step("send", b"".join(b64decode(p["b64"]) if "b64" in p else p["byte"].encode() * p["times"] for p in parts))


def _form(form: str) -> Iterator[Step]:
    """`<a x 5>` is aaaaa."""
    yield Step("send", re.sub(r"<(.) x (\d+)>", lambda found: found[1] * int(found[2]), form).encode())


def _bytes(request: str) -> Iterator[Step]:
    yield Step("send", b64decode(request))


_STEPS_OF: Mapping[str, Callable[[Any], Iterator[Step]]] = {
    "steps": _listed,
    "request_parts": _parts,
    "request_form": _form,
    "request_b64": _bytes,
}

# --- the older files --------------------------------------------------------------------------------------------------

RECORDED_AT = datetime(2026, 11, 22, 0, 37, 26, tzinfo=UTC)
"""When the older files were recorded, whose dates are masked or left out."""
_COMPARED = {"all": ("date",), "head": ("date", "content-length", "body")}


def _http_raw(text: str) -> Iterator[Case]:
    """`request_b64`, `response_b64` with masked dates, and what to `compare`: `all` or the `head`.

    The one row without its bytes, which is only described, has a wrong response (tests/data/README.md).
    """
    for row in json.loads(text)["rows"]:
        if "request_b64" in row:
            response, masks = b64decode(row["response_b64"]), _COMPARED[row["compare"]]
            yield Case(row["name"], _steps(row), response, None, RECORDED_AT, masks, row["compare"])


def _fuzz_open(text: str) -> Iterator[Case]:
    """`[kind, request_b64, status, content type, body_b64]`; the body is null where it was a new token."""
    for number, (kind, request, status, content_type, body) in enumerate(json.loads(text)["rows"], 1):
        head = f"HTTP/1.1 {status}\r\n" + (f"content-type: {content_type}\r\n" if content_type else "") + "\r\n"
        yield _brief(f"{kind} {number}", b64decode(request), head.encode(), body and b64decode(body), kind)


def _brief(name: str, request: bytes, head: bytes, body: bytes | None, group: str) -> Case:
    """A case of which the status, some headers and perhaps the body were recorded."""
    masks = ("other headers", "reason", *(("body",) if body is None else ()))
    return Case(name, (Step("send", request),), head + (body or b""), None, RECORDED_AT, masks, group)


_FORMS: Mapping[str, Callable[[str], Iterator[Case]]] = {
    "identity.jsonl": _lines,
    "database.jsonl": _lines,
    "handshake.jsonl": _lines,
    "http_raw.json": _http_raw,
    "fuzz_open.json": _fuzz_open,
}


def rules(path: Path, release: str) -> Iterator[Case]:
    """The answers of a release, `2.8.3` or `2.14`, in `rules_2_14.json`; without the cases of foreign issuers."""
    found = json.loads(text_of(path))
    minted = datetime.fromtimestamp(found["two_faults_minted_unix"], UTC)
    for row in found["recorded_rows_that_differ"]:
        yield _rule(row, b64decode(row["request_b64"]), release, RECORDED_AT)
    for row in found["two_faults"]:
        lines = (f"{row['method']} {row['path']} HTTP/1.1", "Host: x", f"Authorization: {row['authorization']}")
        yield _rule(row, "\r\n".join([*lines, "", ""]).encode(), release, minted)


def _rule(row: Row, request: bytes, release: str, moment: datetime) -> Case:
    status, body = row[release]["status"], row[release]["body"]
    brief = _brief(row["case"], request, f"HTTP/1.1 {status}\r\n\r\n".encode(), body and body.encode(), "rules")
    return Case(brief.name, brief.steps, brief.response, None, moment, brief.masks, brief.group)


def rules_of_issuers(path: Path) -> dict[str, dict[str, Any]]:
    """The cases of foreign issuers in `rules_2_14.json`: by name, status and body of the releases `2.8.3` and `2.14`.

    `<iss>` in a body is the issuer; a status of None is no answer.
    """
    return {row["case"]: row for row in json.loads(text_of(path))["foreign_issuers"]}


# --- WebSockets: the head, then in order what each side sent ----------------------------------------------------------


def conversations(path: Path) -> list[Case]:
    """The rows of a file with an `exchange`."""
    rows = map(json.loads, text_of(path).splitlines())
    return [_conversation(row) for row in rows if "exchange" in row]


def first_messages(path: Path) -> list[Case]:
    """The rows of the older file with `frames` that begin with a 101, as far as the server's first message."""
    rows = map(json.loads, text_of(path).splitlines())
    return [case for row in rows if "frames" in row for case in _first_message(row)]


def _first_message(row: Row) -> Iterator[Case]:
    head = b64decode(row["response_b64"])
    said = [(event[2], bytes.fromhex(event[3])) for event in row["frames"] if event[0] == "<" and event[2] != PING]
    if head.startswith(b"HTTP/1.1 101 ") and said and len(said[0][1]) <= _LONGEST_SHOWN:
        request = (Step("send", b64decode(row["request_b64"])),)
        yield Case(row["name"], request, head, moment=_date(head), turns=(Turn(b"", (said[0],), ends=False),))


_LONGEST_SHOWN = 1024
"""Bytes. Longer messages were noted after they had been unpacked."""


def _conversation(row: Row) -> Case:
    (_, head), *events = row["exchange"]
    request = (Step("send", b64decode(row["request_b64"])),)
    return Case(
        row["name"], request, bytes.fromhex(head), moment=_date(bytes.fromhex(head)), turns=tuple(_turns(events))
    )


def _turns(events: Iterable[Sequence[Any]]) -> Iterator[Turn]:
    sent, frames = b"", list[Frame]()
    for who, what in events:
        if who == "client":
            if frames or not sent:
                yield Turn(sent, tuple(frames), ends=False)
                sent, frames = b"", []
            sent += bytes.fromhex(what)
        elif what == "EOF":
            yield Turn(sent, tuple(frames), ends=True)
            return
        elif what[0] != PING:
            frames.append((what[0], bytes.fromhex(what[1])))
    yield Turn(sent, tuple(frames), ends=False)
