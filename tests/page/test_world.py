"""The world, and what changes it."""

import json
from pathlib import Path

import requests

from emulator import Emulator, running_in_thread
from tests.client import create, steer
from tests.page.browsing import Browser, Opened, expect, opened
from tests.waiting import PATIENCE


def test_the_clock_is_moved(page: Opened, emulator: Emulator) -> None:
    emulator.clock.freeze("2026-01-01T00:00:00Z")
    clock = page.open("world").panel("clock")
    expect(clock).to_contain_text("2026-01-01 00:00:00Z frozen")

    clock.get_by_label("Seconds", exact=True).fill("61")
    clock.get_by_role("button", name="Advance").click()

    expect(clock).to_contain_text("2026-01-01 00:01:01Z frozen")
    assert str(emulator.clock.now()) == "2026-01-01 00:01:01+00:00"


def test_how_far_the_clock_is_ahead_is_said_beside_it(page: Opened, emulator: Emulator) -> None:
    clock = page.open("world").panel("clock")
    expect(clock).to_contain_text("Running, at real time.")

    emulator.clock.advance(130)

    expect(clock).to_contain_text("Running, 130 s ahead of real time.")
    expect(clock.get_by_label("Seconds ahead")).to_have_value("130")


def test_what_was_typed_stays_when_the_clock_is_moved(page: Opened, emulator: Emulator) -> None:
    clock = page.open("world").panel("clock")
    expect(clock).to_contain_text("at real time")
    clock.get_by_label("Seconds ahead").fill("7")

    emulator.clock.advance(130)

    expect(clock).to_contain_text("130 s ahead of real time")
    expect(clock.get_by_label("Seconds ahead")).to_have_value("7")


def test_what_the_clock_refuses_is_said_beside_it(page: Opened, emulator: Emulator) -> None:
    emulator.clock.freeze()
    clock = page.open("world").panel("clock")

    clock.get_by_role("button", name="Skew").click()

    expect(clock.get_by_role("alert")).to_contain_text("a frozen clock has no skew; resume it first")
    expect(clock.get_by_role("alert")).not_to_contain_text("send ")


def test_an_actors_token_is_copied(page: Opened, emulator: Emulator) -> None:
    emulator.load("two_friends")
    actors = page.open("world").panel("actors")

    actors.get_by_role("button", name="Copy alice's token").click()
    expect(actors.get_by_text("Copied")).to_be_visible()

    assert page.page.evaluate("navigator.clipboard.readText()") == emulator.actors["alice"].token


def test_an_actors_token_is_inspected(page: Opened, emulator: Emulator) -> None:
    emulator.load("two_friends")
    page.open("world").panel("actors").get_by_role("button", name="Inspect alice's token").click()

    expect(page.verdict).to_contain_text("Accepted")
    expect(page.verdict).to_contain_text("of alice's token")


def test_steps_are_shown_as_they_happen(page: Opened, emulator: Emulator) -> None:
    emulator.faults.add("GET /v1/ping", nth=2, status=503)
    steps = page.open("world").panel("scenario")
    expect(steps).to_contain_text("waiting")
    expect(steps).to_contain_text("0 of 1 step done")

    for _ in range(2):
        requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)

    expect(steps).to_contain_text("1 of 1 step done")


def test_a_fault_is_added_and_removed(page: Opened, emulator: Emulator) -> None:
    steps = page.open("world").panel("scenario")
    steps.get_by_text("Add a fault").click()
    steps.get_by_label("Request").fill("GET /v1/ping")
    steps.get_by_role("button", name="Add the fault").click()
    expect(steps.get_by_role("table")).to_contain_text("GET /v1/ping")

    steps.get_by_role("button", name="Remove step 1").click()

    expect(steps).to_contain_text("No faults.")
    assert len(emulator.faults) == 0


def test_a_stub_is_added_and_removed(page: Opened, emulator: Emulator) -> None:
    stubs = page.open("world").panel("stubs")
    stubs.get_by_text("Add a stub").click()
    stubs.get_by_label("Request").fill("GET /claims")
    stubs.get_by_role("button", name="Add the stub").click()
    expect(stubs.get_by_role("table")).to_contain_text("GET /claims")

    stubs.get_by_role("button", name="Remove stub 1").click()

    expect(stubs).to_contain_text("No stubs.")


def test_why_a_stub_is_refused_is_said_beside_it(page: Opened) -> None:
    stubs = page.open("world").panel("stubs")
    stubs.get_by_text("Add a stub").click()
    stubs.get_by_label("Request").fill("GET /v1/ping")
    stubs.get_by_role("button", name="Add the stub").click()

    expect(stubs.get_by_role("alert").first).to_contain_text("is emulated (spacetime.ping)")


def test_a_scenario_is_loaded_by_its_name(page: Opened, emulator: Emulator) -> None:
    steps = page.open("world").panel("scenario")
    steps.get_by_label("Scenario, by name or as JSON").fill("two_friends")
    steps.get_by_role("button", name="Load").click()
    steps.get_by_role("button", name="Really replace the world?").click()

    expect(steps).to_contain_text("Scenario: two_friends")
    expect(page.panel("actors")).to_contain_text("alice")
    assert set(emulator.actors) == {"alice", "bob"}


def test_the_world_is_reset_with_another_seed(page: Opened, emulator: Emulator) -> None:
    world = page.open("world").panel("state")
    world.get_by_label("Seed").fill("9")
    world.get_by_role("button", name="Reset").click()
    world.get_by_role("button", name="Really reset?").click()

    expect(page.page.locator("#facts")).to_contain_text("seed 9")
    assert steer(emulator, "GET", "/state").json()["seed"] == 9


def test_a_reset_asks_before_it_destroys_the_journal(page: Opened, emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    world = page.open("world").panel("state")

    world.get_by_role("button", name="Reset").focus()
    page.page.keyboard.press("Enter")
    expect(world.get_by_role("button", name="Really reset?")).to_be_focused()
    assert len(emulator.journal) == 1

    page.page.keyboard.press("Enter")
    expect(world).to_contain_text("This is a new world.")
    assert len(emulator.journal) == 0


def test_a_double_click_is_no_answer(page: Opened, emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    world = page.open("world").panel("state")

    world.get_by_role("button", name="Reset").dblclick()

    expect(world.get_by_role("button", name="Really reset?")).to_be_visible()
    assert len(emulator.journal) == 1


def test_a_question_without_an_answer_is_withdrawn(page: Opened, emulator: Emulator) -> None:
    world = page.open("world").panel("state")
    world.get_by_role("button", name="Rotate the signing key").click()
    expect(world.get_by_role("button", name="Really end all tokens?")).to_be_visible()

    expect(world.get_by_role("button", name="Rotate the signing key")).to_be_visible()
    assert steer(emulator, "GET", "/state").json()["spacetime"]["retired_keys"] == 0


def test_what_a_rotation_means_is_said(page: Opened, emulator: Emulator) -> None:
    world = page.open("world").panel("state")
    world.get_by_role("button", name="Rotate the signing key").click()
    world.get_by_role("button", name="Really end all tokens?").click()

    expect(world.get_by_text("tokens that were signed before are refused from now on")).to_be_in_viewport()
    assert steer(emulator, "GET", "/state").json()["spacetime"]["retired_keys"] == 1


def test_only_the_outcome_of_the_last_action_is_said(page: Opened, emulator: Emulator, tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.json", tmp_path / "right.json"
    wrong.write_text("{}", encoding="utf-8")
    right.write_text(steer(emulator, "GET", "/snapshot").text, encoding="utf-8")
    world = page.open("world").panel("state")
    outcomes = page.page.locator(".outcome:not(:empty)")

    world.get_by_label("Restore a snapshot").set_input_files(right)
    expect(outcomes).to_have_text(["Restored."])
    world.get_by_label("Restore a snapshot").set_input_files(wrong)
    expect(outcomes).to_contain_text(["invalid snapshot"])
    page.panel("clock").get_by_role("button", name="Advance").click()
    expect(outcomes).to_have_count(0)


def test_a_new_world_has_no_outcome_of_an_action_in_the_old_one(page: Opened, emulator: Emulator) -> None:
    stubs = page.open("world").panel("stubs")
    stubs.get_by_text("Add a stub").click()
    stubs.get_by_label("Request").fill("GET /claims")
    stubs.get_by_role("button", name="Add the stub").click()
    expect(stubs).to_contain_text("Added as number 1.")

    emulator.reset()

    expect(stubs).not_to_contain_text("Added as number 1.")


def test_a_snapshot_is_downloaded_and_restored(page: Opened, emulator: Emulator, tmp_path: Path) -> None:
    create(emulator)
    world = page.open("world").panel("state")
    with page.page.expect_download() as download:
        world.get_by_role("button", name="Download a snapshot").click()
    saved = tmp_path / "world.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text(encoding="utf-8"))["version"] == 1
    emulator.reset()

    world.get_by_label("Restore a snapshot").set_input_files(saved)

    expect(world).to_contain_text("Restored.")
    assert len(emulator.intuition.identities) == 1


def test_what_is_no_snapshot_is_refused_beside_the_file(page: Opened, emulator: Emulator, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}", encoding="utf-8")
    world = page.open("world").panel("state")

    world.get_by_label("Restore a snapshot").set_input_files(wrong)

    expect(world).to_contain_text("invalid snapshot")


def test_rows_of_intuition_are_found_and_changed(page: Opened, emulator: Emulator) -> None:
    for _ in range(2):
        create(emulator)
    rows = page.open("world").panel("intuition/identities")
    expect(rows.locator("tbody tr")).to_have_count(2)

    row = rows.locator("tbody tr").first
    row.get_by_role("button", name="error").click()

    expect(row.locator("td").nth(2)).to_have_text("error")
    listed = steer(emulator, "GET", "/intuition/identities").json()["identities"]
    assert [each["status"] for each in listed].count("error") == 1


def test_identities_and_databases_are_listed_and_filtered(page: Opened, emulator: Emulator) -> None:
    emulator.load("two_friends")
    page.open("world")
    identities, databases = page.panel("spacetime/identities"), page.panel("spacetime/databases")
    expect(databases.locator("tbody tr")).to_have_count(2)

    identities.get_by_role("searchbox").fill("alice@example")

    expect(identities.locator("tbody tr")).to_have_count(1)
    expect(identities).to_contain_text("alice@example.com")


def test_a_key_is_issued_and_revoked(page: Opened, emulator: Emulator) -> None:
    keys = page.open("world").panel("intuition/api-keys")
    keys.get_by_role("textbox", name="Wallet").fill("0x8617E340B3D01FA5F11F306F4090FD50E238070D")
    keys.get_by_role("button", name="Issue a key").click()
    issued = keys.locator("tbody tr", has_text="0x8617E340B3")
    expect(issued).to_have_count(1)

    issued.get_by_role("button", name="Revoke").click()

    expect(issued).to_have_count(0)


def test_an_issuer_goes_down(page: Opened, emulator: Emulator) -> None:
    emulator.spacetime.issuer("https://clerk.example.com")
    issuers = page.open("world").panel("issuers")

    issuers.get_by_role("button", name="down issuer 1").click()

    expect(issuers.locator("tbody tr")).to_contain_text("down")
    assert steer(emulator, "GET", "/issuers").json()["issuers"][0]["condition"] == "down"


def test_another_world_is_opened_and_closed(browser: Browser) -> None:
    with running_in_thread() as alone, opened(browser, alone.url) as page:
        worlds = page.open("world").panel("worlds")
        worlds.get_by_role("button", name="Open another world").click()
        expect(worlds.get_by_role("link")).to_have_count(1)

        worlds.get_by_role("button", name="Close").click()

        expect(worlds).to_contain_text("This is the only one.")


def test_the_focus_stays_on_a_button_whose_row_has_changed(page: Opened, emulator: Emulator) -> None:
    emulator.faults.add("GET /v1/ping", status=503)
    emulator.faults.add("GET /v1/health", status=503)
    steps = page.open("world").panel("scenario")
    steps.get_by_role("button", name="Remove step 2").focus()

    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)

    expect(steps).to_contain_text("fired")
    expect(steps.get_by_role("button", name="Remove step 2")).to_be_focused()
