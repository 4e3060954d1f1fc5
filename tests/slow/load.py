"""Clients that call every operation, and record what was returned."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp
import msgspec

from tests.conftest import API_KEY
from tests.waiting import PATIENCE

KEY = {"x-api-key": API_KEY}
GIVES_UP = 1.5
"""Seconds after which a client gives up, as those do whose request hangs."""
LOST = (aiohttp.ClientError, TimeoutError, ValueError)
"""What a client makes of an answer that does not arrive whole."""

FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 503},
    {"status": 503, "body": {"code": 503, "error": "try again"}, "headers": {"retry-after": "1"}},
    {"rate_limit": {"requests": 20, "seconds": 60}},
    {"delay": 0.05},
    {"delay": [0.01, 0.1]},
    {"delay": 30, "on_clock": True},
    {"drop": "before"},
    {"drop": "after"},
    {"tcp_reset": True},
    {"truncate": True},
    {"malformed_chunk": True},
    {"invalid_json": True},
    {"garbage": True},
    {"hang": True},
    {"complete": True},
    {"fail": True},
    {"remove": True},
    {"advance": 10},
)
REQUESTS = (
    "POST /v1/identity",
    "GET /v1/identity/*/verify",
    "POST /v1/identity/websocket-token",
    "GET /v1/**",
    "POST /identity",
    "GET /identity/*",
    "GET /identities",
    "* /**",
)
SORTS = ("created_at", "updated_at", "display_name", "status", "assets_sum", "identity_id")


@dataclass
class Account:
    """What the clients know of the current world; `turn` is odd during a reset."""

    turn: int = 0
    rotated: bool = False
    identities: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    perhaps: int = 0
    """Rows that may exist although no client received the response."""
    failed: dict[int, str] = field(default_factory=dict)
    """Requests that did not go well, to be looked up in the journal."""
    given_up: set[int] = field(default_factory=set)
    """Those among them that were not answered in time."""
    slowest_control: float = 0.0
    """Seconds of the slowest control call, which no fault ever touches: a measure of how busy the machine is."""

    @property
    def late(self) -> set[int]:
        """Those given up that only a busy machine may have kept: control calls took about as long."""
        return self.given_up if self.slowest_control > GIVES_UP / 3 else set()

    def forget(self) -> None:
        self.identities, self.rows, self.failed, self.perhaps = [], [], {}, 0
        self.given_up, self.slowest_control = set(), 0.0
        self.rotated = False


class Load:
    """Some clients, one that changes the world, one that audits it."""

    def __init__(self, url: str, clients: int, *, seed: int) -> None:
        self.url = url
        self.clients = clients
        self.chance = random.Random(seed)
        self.account = Account()
        self.numbers = 0
        self.answered = self.ordered = self.late = self.outlived = self.audits = self.resets = 0
        self.seconds: list[float] = []
        self.kinds: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.over = False
        self._under_way = 0
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._replacing = asyncio.Lock()

    # --- one request --------------------------------------------------------------------------------------------------

    async def ask(
        self, session: aiohttp.ClientSession, method: str, path: str, *expected: int, **options: Any
    ) -> Any | None:
        """The answer, JSON decoded; None when it is not one of those expected or did not arrive whole."""
        self.numbers += 1
        number, turn = self.numbers, self.account.turn
        headers = {**options.pop("headers", {}), "x-load": str(number)}
        began = monotonic()
        try:
            return await self._answer(session, method, path, expected, headers, options)
        except LOST as error:
            self._note(number, turn, f"{method} {path}: {error!r}", given_up=isinstance(error, TimeoutError))
            return None
        finally:
            self.seconds.append(monotonic() - began)

    async def _answer(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        expected: tuple[int, ...],
        headers: dict[str, str],
        options: dict[str, Any],
    ) -> Any:
        turn = self.account.turn
        async with session.request(method, f"{self.url}{path}", headers=headers, **options) as answer:
            body = await answer.read()
            if answer.status not in expected:
                crossing = turn != self.account.turn or turn % 2
                rotated = self.account.rotated and b"InvalidSignature" in body
                if not rotated and not (crossing and answer.status in {401, 404}):
                    raise ValueError(f"{answer.status} {body[:100]!r}")
            self.answered += 1
            whole = json.loads(body) if body and answer.content_type == "application/json" else body
            return whole if turn == self.account.turn and not turn % 2 and answer.status in expected else None

    def _note(self, number: int, turn: int, what: str, *, given_up: bool) -> None:
        if self.over:
            return
        if turn == self.account.turn and not turn % 2:
            self.account.failed[number] = what
            if given_up:
                self.account.given_up.add(number)
        else:
            self.outlived += 1  # its world is gone, and the journal with it
            if "500 " in what:
                self.wrong.append(what)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Among those the audit waits for."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    # --- what clients do ----------------------------------------------------------------------------------------------

    async def client(self) -> None:
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=GIVES_UP), connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            while not self.over:
                await self._open.wait()
                with self._counted():
                    await self.chance.choice(_DEEDS)(self, session)

    async def create_identity(self, session: aiohttp.ClientSession) -> None:
        made = await self.ask(session, "POST", "/v1/identity", 200)
        if made is not None:
            self.account.identities.append((made["identity"], made["token"]))

    async def verify(self, session: aiohttp.ClientSession) -> None:
        if not self.account.identities:
            return
        identity, token = self.chance.choice(self.account.identities)
        await self.with_token(session, "GET", f"/v1/identity/{identity}/verify", token, 204)

    async def set_email(self, session: aiohttp.ClientSession) -> None:
        if not self.account.identities:
            return
        identity, token = self.chance.choice(self.account.identities)
        await self.with_token(session, "POST", f"/v1/identity/{identity}/set-email?email=a%40b.example", token, 200)

    async def websocket_token(self, session: aiohttp.ClientSession) -> None:
        if self.account.identities:
            token = self.chance.choice(self.account.identities)[1]
            await self.with_token(session, "POST", "/v1/identity/websocket-token", token, 200)

    async def with_token(self, session: aiohttp.ClientSession, method: str, path: str, token: str, good: int) -> None:
        await self.ask(session, method, path, good, headers={"Authorization": f"Bearer {token}"})

    async def look_around(self, session: aiohttp.ClientSession) -> None:
        path = self.chance.choice(
            ["/v1/ping", "/v1/health", "/v1/identity/public-key", f"/v1/identity/{'c2' * 32}/databases"]
        )
        await self.ask(session, self.chance.choice(["GET", "HEAD"]), path, 200)

    async def create_row(self, session: aiohttp.ClientSession) -> None:
        draft = {"display_name": f"name {self.chance.randrange(50)}", "creator": f"0x{self.chance.randrange(5)}"}
        made = await self.ask(session, "POST", "/identity", 200, json=draft, headers=KEY)
        if made is None:
            self.account.perhaps += 1
        else:
            self.account.rows.append((made["id"], made["identity_id"]))

    async def find_row(self, session: aiohttp.ClientSession) -> None:
        if self.account.rows:
            row = self.chance.choice(self.account.rows)
            name, path = self.chance.choice(row), self.chance.choice(["", "", "/positions"])
            await self.ask(session, "GET", f"/identity/{name}{path}", 200, headers=KEY)

    async def list_rows(self, session: aiohttp.ClientSession) -> None:
        query = {"sortBy": self.chance.choice(SORTS), "direction": self.chance.choice(["asc", "desc"]), "limit": "20"}
        path = self.chance.choice(["/identities", "/identity/search"])
        await self.ask(session, "GET", path, 200, params=query, headers=KEY)

    async def ask_wrongly(self, session: aiohttp.ClientSession) -> None:
        method, path, status, options = self.chance.choice(_WRONG_REQUESTS)
        await self.ask(session, method, path, status, **options)

    # --- who steers and who audits ------------------------------------------------------------------------------------

    async def steer(self) -> None:
        """Adds faults, changes clock, keys and rows, and resets during requests."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            while not self.over:
                await self._open.wait()
                with self._counted():
                    await self.chance.choice(_ORDERS)(self, session)

    async def control(self, session: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
        began, turn = monotonic(), self.account.turn
        options = {} if body is None else {"json": body}
        async with session.request(method, f"{self.url}/_emulator{path}", **options) as answer:
            found = await answer.read()
            outlived = answer.status == 404 and turn != self.account.turn
            if answer.status not in {200, 204} and not outlived:
                self.wrong.append(f"{method} {path} {body}: {answer.status} {found[:200]!r}")
        took = monotonic() - began
        self.seconds.append(took)
        self.account.slowest_control = max(self.account.slowest_control, took)
        self.answered += 1
        return json.loads(found) if found else None

    async def order_fault(self, session: aiohttp.ClientSession) -> None:
        do = self.chance.choice(FAULTS)
        step = {"request": self.chance.choice(REQUESTS), "times": 1 if "hang" in do else 3, "skip": 2, "do": do}
        self.kinds.update(key for key in do if key not in {"body", "headers", "on_clock"})
        await self.control(session, "POST", "/faults", step)

    async def move_clock(self, session: aiohttp.ClientSession) -> None:
        # No skew: whether the clock stands is another client's doing, and a standing clock refuses it.
        move = self.chance.choice([{"advance": 31}, {"advance": -5}, {"freeze": True}, {"resume": True}])
        await self.control(session, "POST", "/clock", move)

    async def move_row(self, session: aiohttp.ClientSession) -> None:
        if self.account.rows:
            row = self.chance.choice(self.account.rows)[0]
            status = self.chance.choice(["complete", "error", "removed"])
            await self.control(session, "POST", "/intuition/status", {"identity": row, "status": status})

    async def set_lifecycle(self, session: aiohttp.ClientSession) -> None:
        body = self.chance.choice([{"pending": False}, {"pending": True}, {"pending": True, "complete_after": 20}])
        await self.control(session, "POST", "/intuition/lifecycle", body)

    async def replace_keys(self, session: aiohttp.ClientSession) -> None:
        issued = await self.control(session, "POST", "/intuition/api-keys", {"wallet": "0x9"})
        await self.control(session, "DELETE", "/intuition/api-keys", {"key": issued["key"]})
        if self.chance.random() < 0.1:
            self.account.rotated = True
            await self.control(session, "POST", "/spacetime/rotate-key")

    async def look(self, session: aiohttp.ClientSession) -> None:
        await self.control(session, "GET", self.chance.choice(["/health", "/state", "/clock", "/faults", "/actors"]))
        await self.control(session, "POST", "/spacetime/tokens", {"subject": "alice", "expires_in": 5})

    async def reset(self, session: aiohttp.ClientSession) -> None:
        """Requests in flight may finish in either world."""
        if self.chance.random() < 0.8:
            return
        await self._replace_the_world(session)
        self.resets += 1

    async def audit(self, every: float) -> None:
        """Now and then stop all clients, check the invariants of the world, and reset it."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            while not self.over:
                await asyncio.sleep(every)
                self._open.clear()
                while self._under_way:
                    self._idle.clear()
                    await self._idle.wait()
                if not self.over:
                    await self._audit(session)
                self._open.set()

    async def _audit(self, session: aiohttp.ClientSession) -> None:
        account = self.account
        if not account.turn % 2:
            await self._look_up_failures(session)
            await self.control(session, "DELETE", "/faults")
            await self._look_for_rows(session)
            told = [identity for identity, _ in account.identities]
            if len(set(told)) != len(told):
                self.wrong.append("an identity was given out twice")
            self.audits += 1
        await self._replace_the_world(session)

    async def _replace_the_world(self, session: aiohttp.ClientSession) -> None:
        async with self._replacing:
            self.account.turn += 1
            self.account.forget()
            await self.control(session, "POST", "/reset")
            self.account.turn += 1

    async def _look_up_failures(self, session: aiohttp.ClientSession) -> None:
        failed, late, end = self.account.failed, self.account.late, monotonic() + PATIENCE
        while True:
            faulted = await self._faulted(session)
            if failed.keys() <= faulted | late or monotonic() > end:
                break
            await asyncio.sleep(0.1)  # the server hears a little later that a client gave up
        bugs = [what for number, what in failed.items() if number not in faulted | late or "500 " in what]
        self.late += len(late - faulted)
        self.ordered += len(failed.keys() & faulted)
        self.wrong += [f"not ordered: {what}" for what in bugs]

    async def _faulted(self, session: aiohttp.ClientSession) -> set[int]:
        async with session.get(f"{self.url}/_emulator/journal") as answer:
            journal = msgspec.json.decode(await answer.read())
        return {load_number(each) for each in journal["exchanges"] if each["fault"]}

    async def _look_for_rows(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self.url}/identities?limit=1000000", headers=KEY) as answer:
            listed = [row["id"] for row in msgspec.json.decode(await answer.read())["data"]]
        known = {row_id for row_id, _ in self.account.rows}
        if len(known) != len(self.account.rows) or len(set(listed)) != len(listed):
            self.wrong.append("a row is there twice")
        if lost := known - set(listed):
            self.wrong.append(f"{len(lost)} rows of {len(known)} are lost")
        if len(listed) - len(known) > self.account.perhaps:
            self.wrong.append(f"{len(listed)} rows, but {len(known)} were made and {self.account.perhaps} perhaps")

    async def run(self, seconds: float) -> list[asyncio.Task[None]]:
        """Run all clients for this long; they are still running when this returns."""
        tasks = [asyncio.create_task(self.client()) for _ in range(self.clients)]
        tasks += [*(asyncio.create_task(self.steer()) for _ in range(3)), asyncio.create_task(self.audit(6.0))]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        return tasks


def load_number(exchange: dict[str, Any]) -> int:
    return next(int(value) for name, value in exchange["request"]["headers"] if name.lower() == "x-load")


Deed = Callable[[Load, aiohttp.ClientSession], Awaitable[None]]

_DEEDS: tuple[Deed, ...] = (
    *[Load.create_identity, Load.verify, Load.create_row, Load.find_row] * 3,
    *(Load.set_email, Load.websocket_token, Load.look_around, Load.list_rows, Load.ask_wrongly),
)
_ORDERS: tuple[Deed, ...] = (
    *[Load.order_fault] * 6,
    *(Load.move_clock, Load.move_row, Load.set_lifecycle, Load.replace_keys, Load.look, Load.reset),
)
_WRONG_REQUESTS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("GET", f"/v1/identity/{'c2' * 32}/verify", 401, {"headers": {"Authorization": "Bearer a.b.c"}}),
    ("GET", "/v1/identity/nonsense/verify", 400, {}),
    ("POST", "/identity", 400, {"data": b"{", "headers": {**KEY, "content-type": "application/json"}}),
    ("POST", "/identity", 415, {"data": b"{}", "headers": {**KEY, "content-type": "text/plain"}}),
    ("POST", "/identity", 401, {"json": {}}),
    ("GET", "/identity/nobody", 404, {"headers": KEY}),
    ("GET", "/v1/pong", 404, {}),
    ("DELETE", "/v1/ping", 405, {}),
    ("OPTIONS", "/v1/ping", 200, {}),
    ("OPTIONS", "/identity", 405, {}),
)
