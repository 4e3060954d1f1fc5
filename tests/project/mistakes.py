"""A user's typed test file full of mistakes, read by the type checkers and never run.

Each line that ends in `# wrong` must be reported, and no other one.
"""

from datetime import timedelta

import emulator
from emulator import Config, Emulater, Emulator, running_in_thread  # wrong # noqa: F401


def test_faults(identity_emulator: Emulator) -> None:
    identity_emulator.faults.add("POST /identity", status=503, nth=2, delay=timedelta(seconds=1))
    identity_emulator.faults.add("POST /identity", json={"a": 1}, query={"page": 2}, drop="before")
    identity_emulator.faults.add("POST /identity", staus=503)  # wrong
    identity_emulator.faults.add("POST /identity", drop="middle")  # wrong
    identity_emulator.faults.add("POST /identity", status="503")  # wrong
    identity_emulator.faults.add(5)  # wrong
    identity_emulator.falts.clear()  # wrong


def test_worlds(identity_emulator: Emulator) -> None:
    identity_emulator.reset(seed=7, freeze_at="2024-02-15T05:47:17Z", scenario=["two_friends"])
    identity_emulator.reset(sead=7)  # wrong
    identity_emulator.reset(seed="7")  # wrong
    Config(freeze_at=7)  # wrong
    Config(sead=7)  # wrong
    with running_in_thread(seed=7, journal_bytes=1000) as started:
        started.prot  # wrong # noqa: B018 - the mistake
    with running_in_thread(prot=3000):  # wrong
        pass


def test_tokens(identity_emulator: Emulator) -> None:
    alice = identity_emulator.actors["alice"]
    token: str = alice.issue_token(expires_in=timedelta(days=1), role="admin")
    other: str = identity_emulator.spacetime.create_identity().issue_token(expires_in=-100)
    number: int = alice.subject  # wrong
    alice.issue_token(expires_in="60")  # wrong
    identity_emulator.spacetime.issue_token("alice")  # wrong
    identity_emulator.clock.advance("61")  # wrong
    print(token, other, number)


def test_journal(identity_emulator: Emulator) -> None:
    first: emulator.Exchange = identity_emulator.journal[0]
    some: list[emulator.Exchange] = identity_emulator.journal[-3:]
    key: str = first.request.headers["x-api-key"]
    page: str | None = first.request.query.get("page")
    identity_emulator.journal.assert_requested("POST /identity", json={"a": 1}, times=2, status="4xx")
    identity_emulator.journal.assert_requested("POST", "/identity", stauts=200)  # wrong
    identity_emulator.journal.find(status="200")  # wrong
    identity_emulator.journal.find(since=5)  # wrong
    first.request.jsn()  # wrong
    print(some, key, page, emulator.faults.matrix(), emulator.tokens.broken(), emulator.Snapshot, emulator.Address)
    print(emulator.Fault, emulator.Excange)  # wrong
