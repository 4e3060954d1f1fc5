"""`identity-emulator conformance`: a server held against recorded answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator import Config, Emulator, running_in_thread
from emulator.cli.conformance import conformance
from emulator.conformance.cases import table
from emulator.journal.exchange import Exchange
from tests.cli.command import run
from tests.conftest import write_key_pair
from tests.project.import_rules import ROOT
from tests.unit.conformance.servers import Serve, always, http, saying, serving, with_a_key

SOME = ("--max-requests", "60")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key pair that signed nothing that was recorded."""
    return write_key_pair(tmp_path_factory.mktemp("keys"), 1234567)


@pytest.fixture(scope="module")
def emulator(keys: tuple[Path, Path]) -> Iterator[Emulator]:
    with running_in_thread(Config(spacetime_profile="v2.8", jwt_priv_key_path=keys[0], jwt_pub_key_path=keys[1])) as it:
        it.spacetime.add_database("c20035600353a2e93544d898c6ed0eac323e200c0468300f22958f8b472a265d", "mine")
        yield it


def held(emulator: Emulator, *options: str, profile: str = "v2.8") -> tuple[int, str]:
    return run("conformance", "--target", emulator.url, "--profile", profile, *options, COLUMNS="80")


def with_keys(keys: tuple[Path, Path]) -> tuple[str, ...]:
    return "--jwt-priv-key-path", str(keys[0]), "--jwt-pub-key-path", str(keys[1])


def last(emulator: Emulator) -> int:
    """The number of the last exchange."""
    return max((each.number for each in emulator.journal.exchanges), default=0)


def since(emulator: Emulator, before: int) -> list[Exchange]:
    return [each for each in emulator.journal.exchanges if each.number > before]


# --- what is found ----------------------------------------------------------------------------------------------------


def test_what_holds_ends_with_0_and_says_from_where_the_cases_are(emulator: Emulator) -> None:
    status, output = held(emulator)

    assert status == 0, output
    assert "recorded from a SpacetimeDB server of v2.8.3" in output
    assert "differs:" not in output


def test_without_keys_what_depends_on_them_is_left_out_and_counted(emulator: Emulator) -> None:
    assert ": its tokens must be signed with the target's key" in held(emulator)[1]


def test_with_keys_and_a_database_nothing_is_left_out(emulator: Emulator, keys: tuple[Path, Path]) -> None:
    status, output = held(emulator, *with_keys(keys), "--database", "mine")

    assert status == 0, output
    assert output.splitlines()[-1] == f"all {len(table('v2.8').cases)} cases that were sent hold against v2.8"


def test_what_differs_ends_with_1_and_is_shown(emulator: Emulator) -> None:
    status, output = held(emulator, profile="v1")

    assert status == 1
    assert "> TokenError(Error(InvalidSignature))   > Invalid token: InvalidSignature" in output
    assert max(map(len, output.splitlines())) <= 80


def test_each_cause_is_shown_once_after_the_target_and_before_table_and_verdict(emulator: Emulator) -> None:
    _, output = held(emulator, profile="v1")

    first, *lines = output.splitlines()
    causes = [line for line in lines if line.startswith("differs: ")]
    (last,) = (line for line in lines if " cases differ from v1, for " in line)
    assert first == f"{emulator.url}, version 2.8.3"
    assert f"for {len(set(causes))} causes" in last
    assert len(causes) == len(set(causes))
    assert (
        max(map(lines.index, causes))
        < lines.index(next(line for line in lines if line.startswith("group ")))
        < (lines.index(last))
    )


def test_all_shows_each_case_that_differs(emulator: Emulator, tmp_path: Path) -> None:
    _, output = held(emulator, "--all", "--json", str(tmp_path / "o.json"), profile="v1")

    found = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert output.count("differs: ") == found["counts"]["differs"]


def test_a_wider_terminal_is_used(emulator: Emulator) -> None:
    _, output = run("conformance", "--target", emulator.url, "--profile", "v1", COLUMNS="200")

    assert 80 < max(map(len, output.splitlines())) <= 200


def test_v2_is_the_newest_2_x(emulator: Emulator) -> None:
    assert "\nv2.14: " in held(emulator, *SOME, profile="v2")[1]


def test_the_outcomes_are_written_as_json(emulator: Emulator, tmp_path: Path) -> None:
    status, _ = held(emulator, *SOME, "--json", str(tmp_path / "outcomes.json"))

    found = json.loads((tmp_path / "outcomes.json").read_text(encoding="utf-8"))
    assert (status, found["target"], found["counts"]["differs"]) == (0, emulator.url, 0)


def test_the_outcomes_are_written_as_junit(emulator: Emulator, tmp_path: Path) -> None:
    held(emulator, *SOME, "--junit", str(tmp_path / "outcomes.xml"))

    assert ET.parse(tmp_path / "outcomes.xml").getroot().tag == "testsuites"  # noqa: S314 - of our own


def test_a_list_says_what_would_be_sent_and_sends_nothing(emulator: Emulator) -> None:
    before = last(emulator)

    status, output = held(emulator, "--list")

    assert status == 0
    assert "\n    POST /v1/identity/websocket-token HTTP/1.1\n" in output
    assert since(emulator, before) == []


def test_a_list_needs_no_target_and_can_be_json(tmp_path: Path) -> None:
    status, _ = run("conformance", "--profile", "documented", "--list", "--json", str(tmp_path / "list.json"))

    listed = json.loads((tmp_path / "list.json").read_text(encoding="utf-8"))
    assert (status, listed["profile"]) == (0, "documented")
    assert {"name", "group", "rule", "evidence", "needs", "request"} <= set(listed["cases"][0])


def test_two_servers_are_compared_with_each_other(emulator: Emulator) -> None:
    with running_in_thread(Config(spacetime_profile="v2.14")) as newer:
        same, _ = held(emulator, "--diff", emulator.url, *SOME)
        status, output = held(emulator, "--diff", newer.url)

    assert (same, status) == (0, 1)
    assert output.startswith(f"{emulator.url}, version 2.8.3\ncompared with {newer.url}, version 2.14.0\n")
    assert f" cases differ from {newer.url}, for " in " ".join(output.split())
    assert "the other server                        the target" in output


# --- what a run leaves behind -----------------------------------------------------------------------------------------


def test_databases_are_only_read(emulator: Emulator, keys: tuple[Path, Path]) -> None:
    before = last(emulator)

    held(emulator, *with_keys(keys), "--database", "mine")

    asked = {each.method for each in since(emulator, before) if each.path.startswith("/v1/database")}
    assert asked == {"GET", "HEAD", "OPTIONS"}


def test_no_more_is_sent_than_allowed(emulator: Emulator) -> None:
    before = last(emulator)

    status, output = held(emulator, "--max-requests", "10")

    assert len(since(emulator, before)) <= 12  # and those for the key and the version
    assert (status, "the run was cut short by --max-requests" in " ".join(output.split())) == (0, True)


# --- a certificate ----------------------------------------------------------------------------------------------------


def test_an_emulator_gets_no_certificate(emulator: Emulator, tmp_path: Path) -> None:
    status, output = held(emulator, "--certificate", str(tmp_path / "certificate.md"))

    assert (status, "is for real servers" in output) == (2, True)
    assert not (tmp_path / "certificate.md").exists()


def test_a_real_server_gets_a_certificate_with_its_version(tmp_path: Path) -> None:
    health = http(b'{"version":"2.8.3"}')

    def serve(connection: object) -> None:
        saying(health)(connection)  # type: ignore[arg-type]

    with serving(with_a_key(serve)) as target:
        url = f"http://{target.authority}"
        run("conformance", "--target", url, "--profile", "v1", *SOME, "--certificate", str(tmp_path / "c.md"))

    page = (tmp_path / "c.md").read_text(encoding="utf-8")
    assert "\n- version of the target: 2.8.3\n" in page
    assert "\n- date: Thu, 26 Nov 2026 20:11:49 GMT, by the clock of the target\n" in page


# --- TLS --------------------------------------------------------------------------------------------------------------


def test_a_target_can_be_reached_over_tls_with_a_ca_of_its_own(tmp_path: Path) -> None:
    with running_in_thread(Config(spacetime_profile="v2.8"), tls=True) as secure:
        assert secure.trust is not None
        (tmp_path / "ca.pem").write_text(secure.trust.ca, encoding="utf-8")
        asked = ("conformance", "--target", secure.url, "--profile", "v2.8", *SOME)
        trusting, output = run(*asked, "--ca-file", str(tmp_path / "ca.pem"))
        doubting, refusal = run(*asked)

    assert (trusting, doubting) == (0, 2), output
    assert "has a certificate of a known CA (--ca-file)" in refusal


# --- wrong use --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Missing option '--target'"),
        (("--target", "127.0.0.1:3000"), "is no address of a server; write it like http://127.0.0.1:3000"),
        (("--target", "http://127.0.0.1:3000/v1"), "is no address of a server"),
        (("--target", "http://127.0.0.1:9"), "can't be reached"),
        (("--target", "http://nowhere.invalid"), "can't be reached"),
        (("--target", "https://127.0.0.1:9", "--ca-file", "nothing.pem"), "no certificate of a CA can be read from"),
        (("--target", "http://127.0.0.1:9", "--ca-file", "nothing.pem"), "--ca-file is for an https target"),
        (("--target", "http://127.0.0.1:9", "--diff", "nothing"), "is no address of a server"),
        (("--target", "http://127.0.0.1:9", "--max-requests", "0"), "--max-requests"),
        (("--target", "http://127.0.0.1:9", "--jwt-priv-key-path", "k"), "give both, or none"),
        (("--target", "http://127.0.0.1:9", "--jwt-priv-key-path", "k", "--jwt-pub-key-path", "k"), "can't read k"),
        (("--target", "http://127.0.0.1:9", "--junit", "no/such/folder"), "--junit no/such/folder: there is no such"),
        (("--target", "http://127.0.0.1:9", "--json", "no/such/folder"), "--json no/such/folder: there is no such"),
        (("--list", "--certificate", "c.md"), "--list sends nothing; leave out --certificate"),
        (("--target", "http://x", "--diff", "http://y", "--certificate", "c.md"), "leave out --diff"),
    ],
)
def test_wrong_use_is_told_and_ends_with_2(
    options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    status, output = run("conformance", "--profile", "v2.8", *options)

    assert status == 2
    assert said.replace("/", str(Path("/"))) in output or said in output
    assert "Traceback" not in output


def test_a_profile_must_be_named() -> None:
    status, output = run("conformance", "--target", "http://127.0.0.1:9")

    assert status == 2
    assert "Usage: identity-emulator conformance --target URL --profile PROFILE [OPTIONS]" in output
    assert output.endswith("\nError: Missing option '--profile': documented, v1, v2.8, v2.14, intuition or v2\n")


def test_a_file_that_is_no_key_is_told(emulator: Emulator, tmp_path: Path, keys: tuple[Path, Path]) -> None:
    (tmp_path / "key").write_text("no key", encoding="utf-8")

    status, output = held(emulator, "--jwt-priv-key-path", str(tmp_path / "key"), "--jwt-pub-key-path", str(keys[1]))

    assert (status, "is no private key in PEM" in output) == (2, True)


def test_keys_that_are_not_the_targets_are_told(emulator: Emulator, tmp_path: Path) -> None:
    status, output = held(emulator, *with_keys(write_key_pair(tmp_path, 77)))

    assert (status, "has another public key than the one given" in output) == (2, True)


@pytest.mark.parametrize(
    "serve", [saying(http(b"<html>", b"404 Not Found")), saying(b"SSH-2.0-x\r\n\r\n"), saying(b"")]
)
def test_a_server_of_another_kind_is_told_at_once(serve: Serve) -> None:
    with serving(serve) as target:
        status, output = run("conformance", "--target", f"http://{target.authority}", "--profile", "v2.8")

    assert status == 2
    assert len(output.splitlines()) == 1


def test_another_web_server_is_not_held_against_intuitions_page() -> None:
    with serving(saying(http(b"<html>", b"404 Not Found"))) as target:
        status, output = run("conformance", "--target", f"http://{target.authority}", "--profile", "intuition")

    assert (status, len(output.splitlines())) == (2, 1)
    assert "give the address of a server with Intuition's /identity" in output


def test_a_database_that_is_not_there_is_told(emulator: Emulator) -> None:
    status, output = held(emulator, "--database", "nosuch")

    assert (status, len(output.splitlines())) == (2, 1)
    assert "has no database 'nosuch'" in output


def test_a_server_that_answers_everything_alike_differs(tmp_path: Path) -> None:
    with serving(with_a_key(always)) as target:
        status, output = run("conformance", "--target", f"http://{target.authority}", "--profile", "v2.8", *SOME)

    assert (status, "differs: " in output) == (1, True)


def test_the_sample_of_its_page_is_of_a_real_run() -> None:
    """In its order; `…` is for lines that were left out."""
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    sample = page.partition("<!-- sample: begin -->\n\n```text\n")[2].partition("\n```\n")[0]

    with running_in_thread(Config(spacetime_profile="v2.14")) as newer:
        output = iter(held(newer)[1].replace(newer.url, "http://127.0.0.1:3000").splitlines())

    assert [line for line in sample.splitlines() if line != "…" and line not in output] == []


@pytest.mark.parametrize("option", [option for each in conformance.params for option in each.opts])
def test_each_option_is_on_its_page(option: str) -> None:
    assert option in (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
