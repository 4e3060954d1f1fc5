"""A user's typed test file, read by the type checkers and never run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from emulator import Config, Emulator, Exchange, running, running_in_thread


def identity_emulator_config() -> Config:
    return Config(seed=7, spacetime_profile="v2", freeze_at=datetime(2024, 2, 15, tzinfo=UTC))


def test_handles(identity_emulator: Emulator) -> None:
    new = identity_emulator.spacetime.create_identity(email="a@b.c", databases=2, role="admin")
    token: str = identity_emulator.spacetime.issue_token(subject="alice", expires_in=-72.5, audience="web")
    broken: str = identity_emulator.spacetime.sign({"sub": 5}, {"alg": "none"})
    address: str = identity_emulator.spacetime.add_database(new.identity).address
    email: str | None = identity_emulator.spacetime.email_of(new.identity)
    key: str = identity_emulator.intuition.issue_api_key(wallet="0x81")
    row = identity_emulator.intuition.create_identity(display_name="JP", creator="0x81")
    vault: str = row.vault_id
    identity_emulator.clock.advance(timedelta(seconds=61))
    moment: datetime = identity_emulator.clock.now()
    print(token, broken, address, email, key, vault, moment, identity_emulator.env()["SPACETIMEDB_URI"])


def test_journal(identity_emulator: Emulator) -> None:
    found: list[Exchange] = identity_emulator.journal.assert_requested("POST", "/v1/identity", times=1)
    waited: list[Exchange] = identity_emulator.journal.wait_for("GET", "/v1/**", status=200, timeout=2)
    header: str | None = found[0].request.header("authorization")
    why: str = waited[0].why
    groups: list[list[Exchange]] = identity_emulator.journal.duplicates()
    print(header, why, groups, [exchange.path for exchange in identity_emulator.journal])


def test_factory(make_identity_emulator: Callable[..., Emulator]) -> None:
    print(make_identity_emulator(seed=1).port)


def in_a_program() -> None:
    with running_in_thread(seed=7) as emulator:
        print(emulator.url)


async def in_a_loop() -> None:
    async with running(Config(), journal_size=10) as emulator:
        await emulator.journal.async_wait_for("POST", "/v1/identity")
