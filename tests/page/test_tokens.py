"""The token inspector: what is in a token, and the check that refuses it."""

import pytest
import requests

from emulator import Emulator
from tests.page.browsing import Opened, expect
from tests.waiting import PATIENCE

NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def inspector(page: Opened, emulator: Emulator) -> Opened:
    """The page at its inspector; the clock stands still."""
    emulator.clock.freeze(NOW)
    return page.open("token")


def expired(emulator: Emulator) -> str:
    return emulator.spacetime.issue_token(subject="alice", expires_in=-72)


def forged(emulator: Emulator) -> str:
    """Signed with the key of another world."""
    token = emulator.spacetime.issue_token(subject="alice")
    return f"{token.rpartition('.')[0]}.{'A' * 86}"


def foreign(emulator: Emulator) -> str:
    """Of an issuer that is not registered."""
    return (
        emulator.spacetime.sign({"iss": "https://auth.example.com", "sub": "alice", "iat": 1, "aud": []})[:-4] + "AAAA"
    )


def test_a_good_token_is_accepted_by_every_profile(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(emulator.spacetime.issue_token(subject="alice", expires_in=60))

    expect(inspector.verdict).to_contain_text("Accepted")
    chains = inspector.page.locator(".chain")
    expect(chains.locator('li:not([data-result="held"])')).to_have_count(0)
    expect(chains).to_have_count(4)


@pytest.mark.parametrize(
    ("make", "check", "reason"),
    [
        (expired, "expiry", "expired 72 s ago by the emulator's clock"),
        (forged, "signature", ""),
        (lambda _: "eyJhbGciOiJFUzI1NiJ9", "segments", "a token has three parts"),
    ],
    ids=["expired", "forged", "malformed"],
)
def test_the_check_that_fails_is_marked(
    inspector: Opened, emulator: Emulator, make: object, check: str, reason: str
) -> None:
    assert callable(make)

    inspector.inspect(make(emulator))

    expect(inspector.verdict).to_contain_text("Refused: 401")
    for profile in ("documented", "v1", "v2.8", "v2.14"):
        failed = inspector.failed_check(profile)
        expect(failed.first).to_contain_text(check)
        expect(failed.first).to_contain_text(reason)


def test_of_a_foreign_token_the_issuer_is_what_fails(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(foreign(emulator))

    expect(inspector.failed_check("documented").last).to_contain_text("issuer")
    expect(inspector.failed_check("documented").last).to_contain_text("it is not registered")


def test_a_token_of_a_registered_issuer_names_its_key(inspector: Opened, emulator: Emulator) -> None:
    clerk = emulator.spacetime.issuer("https://clerk.example.com", algorithm="RS256")

    inspector.inspect(clerk.issue_token(subject="alice", expires_in=60))

    expect(inspector.verdict).to_contain_text("Accepted")
    expect(inspector.page.locator("#inspected")).to_contain_text("of https://clerk.example.com")


def test_times_are_shown_as_dates_and_by_the_emulators_clock(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(expired(emulator))

    claims = inspector.page.locator("#inspected")
    expect(claims).to_contain_text("2025-12-31 23:58:48Z")
    expect(claims).to_contain_text("expired 1 min 12 s ago by the emulator's clock")


def test_the_identity_is_computed_again_from_issuer_and_subject(inspector: Opened, emulator: Emulator) -> None:
    made = emulator.spacetime.create_identity(subject="alice")
    other = emulator.spacetime.sign(
        {"iss": "localhost", "sub": "bob", "iat": 1, "aud": [], "hex_identity": made.identity}
    )

    inspector.inspect(made.token)
    expect(inspector.page.locator("#inspected")).to_contain_text(f"{made.identity} — the same")

    inspector.inspect(other)
    expect(inspector.page.locator("#inspected")).to_contain_text(f"{made.identity} — another one")


def test_a_token_dies_when_the_clock_advances(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(emulator.spacetime.issue_token(subject="alice", expires_in=60))
    expect(inspector.verdict).to_contain_text("Accepted")

    emulator.clock.advance(121)

    expect(inspector.verdict).to_contain_text("ExpiredSignature")
    expect(inspector.failed_check("documented")).to_contain_text("expiry")


def test_a_token_dies_when_the_key_is_rotated(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(emulator.spacetime.issue_token(subject="alice"))
    expect(inspector.verdict).to_contain_text("Accepted")

    emulator.spacetime.rotate_key()

    expect(inspector.verdict).to_contain_text("InvalidSignature")
    expect(inspector.page.locator("#inspected")).to_contain_text("a key of this emulator that was rotated")


def test_the_page_advances_the_clock_to_where_the_token_dies(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(emulator.spacetime.issue_token(subject="alice", expires_in=60))

    inspector.page.get_by_role("button", name="Advance the clock").click()

    expect(inspector.verdict).to_contain_text("ExpiredSignature")


def test_a_token_of_a_running_clock_dies_without_a_question(page: Opened, emulator: Emulator) -> None:
    page.open("token")
    page.inspect(emulator.spacetime.issue_token(subject="alice", expires_in=-58))
    expect(page.verdict).to_contain_text("Accepted")

    expect(page.verdict).to_contain_text("ExpiredSignature")


def test_a_token_that_was_seen_is_judged_at_that_time(page: Opened, emulator: Emulator) -> None:
    emulator.clock.freeze(NOW)
    page.open()
    headers = {"Authorization": f"Bearer {expired(emulator)}"}
    requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=headers, timeout=PATIENCE)
    emulator.clock.advance(3600)

    page.choose("websocket-token").get_by_role("button", name="Inspect token (Authorization)").click()

    expect(page.verdict).to_contain_text("at 2026-01-01T00:00:00.000000Z by the emulator's clock, as in exchange #1")
    expect(page.failed_check("documented")).to_contain_text("expired 72 s ago")


def test_a_token_that_was_seen_is_judged_now_and_at_that_time_again(page: Opened, emulator: Emulator) -> None:
    emulator.clock.freeze(NOW)
    page.open()
    headers = {"Authorization": f"Bearer {expired(emulator)}"}
    requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=headers, timeout=PATIENCE)
    emulator.clock.advance(3600)
    page.choose("websocket-token").get_by_role("button", name="Inspect token (Authorization)").click()

    page.page.get_by_role("button", name="Judge it now").click()
    expect(page.failed_check("documented")).to_contain_text("expired 3672 s ago")
    expect(page.verdict).to_contain_text("now, 2026-01-01T01:00:00.000000Z by the emulator's clock")
    expect(page.verdict).not_to_contain_text("exchange")

    page.page.get_by_role("button", name="Judge it as in exchange #1").click()
    expect(page.failed_check("documented")).to_contain_text("expired 72 s ago")
    expect(page.verdict).to_contain_text("as in exchange #1")


@pytest.mark.parametrize(
    "pasted",
    ["Bearer {}", "Authorization: Bearer {}", "authorization:bearer {}", '"{}"', "'Bearer {}'\n", "\n  {}\r\n"],
)
def test_a_token_is_taken_as_people_paste_it(inspector: Opened, emulator: Emulator, pasted: str) -> None:
    token = emulator.spacetime.issue_token(subject="alice", expires_in=60)

    inspector.inspect(pasted.format(f"{token[:40]}\n{token[40:]}"))

    expect(inspector.verdict).to_contain_text("Accepted")
    expect(inspector.page.locator("#inspect-token")).to_have_value(token)
    expect(inspector.page.get_by_text("Taken without what stood around it.")).to_be_visible()


@pytest.mark.parametrize(
    ("method", "path", "where"),
    [("POST", "/v1/identity", "response"), ("GET", "/v1/database/chat/subscribe?token=x", "query")],
)
def test_tokens_are_found_wherever_they_stood(
    page: Opened, emulator: Emulator, method: str, path: str, where: str
) -> None:
    page.open()
    requests.request(method, f"{emulator.url}{path}", timeout=PATIENCE)

    page.choose(path.partition("?")[0]).get_by_role("button", name=f"Inspect token ({where})").click()

    expect(page.verdict).to_be_visible()


def test_inspecting_leaves_no_trace_in_the_journal(inspector: Opened, emulator: Emulator) -> None:
    inspector.inspect(expired(emulator))
    expect(inspector.verdict).to_be_visible()

    assert len(emulator.journal) == 0
    assert "eyJ" not in inspector.page.url
