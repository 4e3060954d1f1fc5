"""A simple model of a world in dicts and lists, not made for speed; a snapshot is a full copy."""

from dataclasses import dataclass, field
from typing import Any

SECOND = 1_000_000
BEGUN = 1_700_000_000 * SECOND

FITTING = {
    "POST /identity": {"POST /identity"},
    "* /identity/*": {"GET /identity/7"},
    "GET /v1/**": {"GET /v1/ping", "GET /v1/identity/ab/verify"},
    "GET /v1/identity/*/verify": {"GET /v1/identity/ab/verify"},
}
"""Which requests a pattern means."""

REQUESTS = ("POST /identity", "GET /identity/7", "GET /v1/ping", "GET /v1/identity/ab/verify")


@dataclass
class Row:
    id: str
    identity_id: str
    display_name: str
    creator: str
    description: str
    created: int
    updated: int
    status: str = "complete"
    vault_id: str = "0"
    stakes: list[int] = field(default_factory=list)


@dataclass
class Step:
    number: int
    given: dict[str, Any]
    do: dict[str, Any]
    seen: int = 0
    fired: int = 0
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def due(self) -> int:
        return BEGUN + int(self.given["at"]) * SECOND

    @property
    def waits(self) -> bool:
        return "request" not in self.given and not self.fired

    def fits(self, request: str, now: int) -> bool:
        since, until = self.given.get("at", -(10**9)), self.given.get("until", 10**9)
        asked = "request" in self.given and request in FITTING[self.given["request"]]
        return asked and BEGUN + since * SECOND <= now < BEGUN + until * SECOND

    def has_its_turn(self, client: str, now: int) -> bool:
        place = self.seen - self.given.get("skip", 0)
        if place < 1 or place != self.given.get("nth", place) or self.fired >= self.given.get("times", 10**9):
            return False
        return "rate_limit" not in self.do or self.is_beyond_the_limit(client, now)

    def is_beyond_the_limit(self, client: str, now: int) -> bool:
        begun, count = self.windows.get(client, (now, 0))
        if not begun <= now < begun + self.do["rate_limit"]["seconds"] * SECOND:
            begun, count = now, 0
        self.windows[client] = begun, count + 1
        return count >= int(self.do["rate_limit"]["requests"])


@dataclass
class Plain:
    now: int = BEGUN
    rotations: int = 0
    emails: dict[str, str] = field(default_factory=dict)
    databases: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, bool] = field(default_factory=dict)
    """Whether each is good, in the order they were issued."""
    rows: list[Row] = field(default_factory=list)
    vaults: int = 0
    pending: bool = False
    complete_after: int | None = None
    completions: list[tuple[int, int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    steps_added: int = 0

    def create(self, row: Row) -> None:
        self.rows.append(row)
        if not self.pending:
            row.vault_id = self.next_vault()
            return
        row.status = "pending"
        if self.complete_after is not None:
            self.completions.append((self.now + self.complete_after * SECOND, len(self.rows) - 1))

    def next_vault(self) -> str:
        self.vaults += 1
        return str(self.vaults)

    def move(self, row: Row, status: str, micros: int) -> None:
        if row.status == status:
            return
        row.status, row.updated = status, micros
        if status == "complete" and row.vault_id == "0":
            row.vault_id = self.next_vault()

    def stake(self, row: Row, amount: int) -> None:
        row.stakes.append(amount)
        row.updated = self.now

    def settle(self) -> None:
        while due := [step for step in self.steps if step.waits and step.due <= self.now]:
            step = min(due, key=lambda each: (each.due, each.number))
            self.complete_due(step.due)
            step.fired = 1
            self.change(step.do, step.due)
        self.complete_due(self.now)

    def complete_due(self, now: int) -> None:
        for due, number in sorted(each for each in self.completions if each[0] <= now):
            self.completions.remove((due, number))
            if self.rows[number].status == "pending":
                self.move(self.rows[number], "complete", due)

    def change(self, do: dict[str, Any], micros: int) -> None:
        self.rotations += "rotate_key" in do
        if "revoke" in do:
            self.keys = dict.fromkeys(self.keys, False)
        for kind, status in (("complete", "complete"), ("fail", "error"), ("remove", "removed")):
            for row in [row for row in self.rows if kind in do and row.status == "pending"]:
                self.move(row, status, micros)
        self.now += do.get("advance", 0) * SECOND

    def ask(self, request: str, client: str) -> int | None:
        """The number of the step that happens."""
        fitting = [step for step in self.steps if step.fits(request, self.now)]
        for step in fitting:
            step.seen += 1
        for step in fitting:
            if step.has_its_turn(client, self.now):
                step.fired += 1
                self.change(step.do, self.now)
                return step.number
        return None

    def named(self, name: str) -> Row | None:
        """By `id`, else the oldest of an `identity_id`, else by `vault_id`."""
        for key in ("id", "identity_id", "vault_id"):
            found = [row for row in self.rows if getattr(row, key) == name and name != "0"]
            if found:
                return found[0]
        return None
