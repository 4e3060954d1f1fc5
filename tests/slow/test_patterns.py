"""Texts made to be slow: twice as much takes about twice as long, wherever a pattern meets what a client sent."""

import json
from collections.abc import Callable
from contextlib import suppress
from time import thread_time

import pytest

from emulator.control.api.access import is_loopback, without_port
from emulator.control.control_token import control_token
from emulator.core.clock import parse_rfc3339
from emulator.core.suggestions import did_you_mean
from emulator.faults.step import made_step
from emulator.http.operation import why_never
from emulator.http.parameters import path_text, query_field, query_pairs
from emulator.http.routing import nearest_path
from emulator.journal.exchange import Exchange, Message
from emulator.journal.queries import ExchangeFilter
from emulator.journal.report import curl, report
from emulator.scenario.type_check import checked
from emulator.scenario.yaml_reader import read, read_json
from emulator.services.intuition.body_json import read_draft
from emulator.services.intuition.handlers import api as intuition_api
from emulator.services.intuition.listing import Paging, Sorting
from emulator.services.intuition.model import PROFILES as INTUITION
from emulator.services.rust import base64url
from emulator.services.spacetimedb import email_address
from emulator.services.spacetimedb.handlers import api as spacetime_api
from emulator.services.spacetimedb.model import parse_identity
from emulator.services.spacetimedb.releases import PROFILES as SPACETIME
from emulator.world import snapshot_document
from emulator.world.step_check import OPERATIONS
from tests.measuring import quickest
from tests.worlds import make_world

SIZE = 32 * 1024
"""Bytes; compared with twice as many."""
TIMES = 5


def exchange(path: str) -> Exchange:
    nothing = Message(b"", b"", 0)
    return Exchange(1, "GET", path, "", nothing, 404, nothing, "", 0, 0.0)


def ratio(work: Callable[[int], Callable[[], object]]) -> float:
    small, large = quickest(work(SIZE), work(2 * SIZE), times=TIMES, clock=thread_time)
    return large / max(small, 1e-4)


PATTERNS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "one letter after each star": (lambda size: "*a" * (size // 2) + "b", lambda size: "a" * size),
    "one letter after each double star": (lambda size: "**a" * (size // 3) + "b", lambda size: "a" * size),
    "a long text after a star": (lambda size: f"*{'a' * (size // 2)}b", lambda size: "a" * size),
    "a long text between two double stars": (lambda size: f"**{'a' * (size // 2)}b**", lambda size: "a" * size),
    "a segment after each double star": (lambda size: "/**/a" * (size // 5) + "/b", lambda size: "/a" * (size // 2)),
    "both kinds in turn": (lambda size: "/**/*" * (size // 5) + "/b", lambda size: "/a" * (size // 2)),
    "many segments": (lambda size: f"/**{'/*' * (size // 4)}/b/**", lambda size: "/a" * (size // 2)),
    "many segments that begin alike": (lambda size: f"**{'/*a' * (size // 6)}/b**", lambda size: "/a" * (size // 2)),
    "many different segments": (
        lambda size: f"**{''.join(f'/*{each}' for each in range(size // 6))}/b**",
        lambda size: "".join(f"/a{each}" for each in range(size // 6)),
    ),
    "double stars alone": (lambda size: "/**" * (size // 3), lambda size: "/a" * (size // 2)),
    "stars alone": (lambda size: "*" * size + "x", lambda size: "a" * size),
    "empty segments": (lambda size: "**/*c" * (size // 5) + "x", lambda size: "/" * size),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion(name: str) -> None:
    pattern, path = PATTERNS[name]

    def work(size: int) -> Callable[[], object]:
        wanted, found = pattern(size), exchange(path(size))
        return lambda: ExchangeFilter(path=wanted).differences(found)

    assert ratio(work) < 3


@pytest.mark.parametrize("segment", ["/**", "/**/a", "/*", "/v1/**"])
def test_a_step_is_checked_in_time_in_proportion(segment: str) -> None:
    def work(size: int) -> Callable[[], object]:
        request = f"GET {segment * (size // len(segment))}"
        return lambda: why_never(request, OPERATIONS)

    assert ratio(work) < 3


@pytest.mark.parametrize("text", ["eyJ", "eyJ.", "eyJa.eyJa-", "a" * 64, "2024-02-15T05:47:17.1", "localhost:", "0x0"])
def test_a_journal_is_normalised_in_time_in_proportion(text: str) -> None:
    def work(size: int) -> Callable[[], object]:
        journal = make_world().journal
        journal.record(exchange("/" + text * (size // len(text))))
        return journal.normalised

    assert ratio(work) < 3


# --- every text through everything that reads one ---------------------------------------------------------------------

TEXTS = ["a", "ab/", "/a", "a.", ".", "[", '{"a":', '"', '"\\u0041', "\\", "\\\\u", "%", "%41", "&a=", "=", "1", "-1e"]
TEXTS += ["9.", ":", "[:", "::1%", " ", "\t,", "*", "**/", "eyJ", "é", "A", "a=b;", '"\\a', '{"a":"a",', "[1,", "@a."]
WORLD = make_world()


def token(text: str) -> str:
    """With the text as its header and claims."""
    segment = base64url.encode(text.encode())
    return f"{segment}.{segment}.{segment}"


def header_with(text: str) -> str:
    """A token whose header has a member that is skipped."""
    members = '{"typ":"JWT","alg":"ES256","x":' + text + "}"
    return f"{base64url.encode(members.encode())}.e30.AA"


READERS: dict[str, Callable[[str], object]] = {
    "Host": without_port,
    "a host": is_loopback,
    "a control token": control_token,
    "a query": query_pairs,
    "a field of a query": lambda text: query_field(text, "token"),
    "a parameter": lambda text: path_text(text, "id"),
    "a path of SpacetimeDB": lambda text: spacetime_api(SPACETIME["v2.8"]).routes.find("GET", text),
    "a path of Intuition": lambda text: intuition_api(INTUITION["documented"], cors=False).routes.find("GET", text),
    "the nearest path": lambda text: nearest_path(text, ["/v1/identity/:identity/verify", "/identity"]),
    "a suggestion": lambda text: did_you_mean(text, ["alice", "a" * 100, "eyJ" * 30]),
    "an identity": parse_identity,
    "an address": email_address.fault,
    "the local part of an address": lambda text: email_address.fault(f'"{text}"@example.com'),
    "a token": WORLD.spacetime.read,
    "claims of a token": lambda text: WORLD.spacetime.read(token(text)),
    "an unknown member of a token": lambda text: WORLD.spacetime.read(header_with(text)),
    "a draft": lambda text: read_draft(text.encode()),
    "a member of a draft": lambda text: read_draft(f'{{"creator": "x", "image": {text}}}'.encode()),
    "sorting": lambda text: Sorting.parse({"sortBy": text}),
    "paging": lambda text: Paging.parse({"page": text}),
    "a time": parse_rfc3339,
    "a pattern": lambda text: ExchangeFilter(path=f"/{text}").differences(exchange(f"/{text}x")),
    "a step": lambda text: made_step({"request": f"GET {text}", text: 1, "do": {text: 1}}),
    "a request of a step": lambda text: why_never(f"GET /{text}", OPERATIONS),
    "a scenario": lambda text: checked(read_json(json.dumps({"version": 1, text: {text: text}, "seed": text}))),
    "a scenario in YAML": lambda text: read(f"version: 1\n{text}".encode(), "it.yaml"),
    "curl": lambda text: curl(exchange(f"/{text}"), "http://127.0.0.1"),
    "a report": lambda text: report([exchange(f"/{text}")], "http://127.0.0.1"),
    "a snapshot": lambda text: snapshot_document.read(text.encode(), WORLD),
}
QUICK = 0.003
"""Seconds of a processor that the larger text may take in any case."""


@pytest.mark.parametrize("reader", READERS)
def test_a_text_is_read_in_time_in_proportion(reader: str) -> None:
    read_text = READERS[reader]

    def work(text: str, size: int) -> Callable[[], object]:
        made = text * (size // len(text))

        def action() -> None:
            with suppress(Exception):  # most of them are nothing that can be read
                read_text(made)

        return action

    for text in TEXTS:
        small, large = quickest(work(text, SIZE), work(text, 2 * SIZE), times=1, clock=thread_time)
        if large > QUICK and large >= 3 * small:  # once more, with patience
            small, large = quickest(work(text, SIZE), work(text, 2 * SIZE), times=10, clock=thread_time)
        assert large < max(QUICK, 3 * small), f"{text!r}: {small * 1000:.1f} and {large * 1000:.1f} ms"
