"""`--identity-emulator-html DIR`: the page of each failed test as a file."""

import re

import pytest

from emulator.pytest_plugin.sections import html_name
from tests.pytest_plugin.inner import Run
from tests.unit.journal.test_html_report import data_in

FAILING = """
    import pytest

    @pytest.mark.parametrize("path", ["/v1/a/../b", "</script>", "x" * 300, "é|?*"])
    def test_it(identity_emulator, path):
        create(identity_emulator)
        assert not path

    def test_passes(identity_emulator):
        create(identity_emulator)
"""
OPTION = ("--identity-emulator-html", "pages")


def pages(run: Run) -> list[str]:
    return sorted(path.name for path in (run.folder / "pages").iterdir())


def test_each_failed_test_has_a_file_whose_path_is_in_its_report(run: Run) -> None:
    run.write(FAILING)

    outcome = run(*OPTION)

    names = pages(run)
    assert "4 failed, 1 passed" in outcome.summary
    assert len(names) == 4
    assert all(f"as a page: {run.folder / 'pages' / name}" in outcome for name in names)


def test_a_file_has_the_exchanges_of_its_test(run: Run) -> None:
    run.write(FAILING)

    run(*OPTION, "-k", "script")

    [name] = pages(run)
    found = data_in((run.folder / "pages" / name).read_text(encoding="utf-8"))
    assert found["title"] == "test_it.py::test_it[</script>]"
    assert [row["path"] for row in found["rows"]] == ["/v1/identity"]


@pytest.mark.parametrize("folder", ["test_it.py", "test_it.py/pages"])
def test_a_file_in_the_place_of_the_folder_is_said_before_the_first_test(run: Run, folder: str) -> None:
    run.write(FAILING)

    outcome = run("--identity-emulator-html", folder)

    assert "--identity-emulator-html is a folder for pages, and" in outcome
    assert "failed" not in outcome


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("assert path == 5, 'token=hunter22'", "AssertionError: token=***"),
        ("raise ValueError('a\\nb')", "ValueError: a"),
        ("pytest.fail('a\\nb', pytrace=False)", "Failed: a"),
    ],
)
def test_a_file_says_first_what_failed(run: Run, failing: str, said: str) -> None:
    run.write(FAILING.replace("assert not path", failing))

    run(*OPTION, "-k", "script")

    [name] = pages(run)
    assert data_in((run.folder / "pages" / name).read_text(encoding="utf-8"))["notes"][0].startswith(said)


def test_without_the_option_nothing_is_written(run: Run) -> None:
    run.write(FAILING)

    outcome = run("-k", "script")

    assert "as a page" not in outcome
    assert not (run.folder / "pages").exists()


def test_workers_write_into_one_folder(run: Run) -> None:
    run.write(FAILING)

    run(*OPTION, "-p", "xdist", "-n", "2")

    assert len(pages(run)) == 4


def test_each_emulator_of_a_test_has_a_file(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator, make_identity_emulator):
            create(identity_emulator)
            create(make_identity_emulator(seed=7))
            assert False
    """)

    run(*OPTION)

    assert len(pages(run)) == 2


def test_a_fake_file_system_gets_none_of_it(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator, fs):
            create(identity_emulator)
            assert False
    """)

    run(*OPTION, "-p", "pyfakefs.pytest_plugin")

    assert len(pages(run)) == 1


def test_a_folder_that_can_not_be_written_to_fails_no_more_than_the_test(run: Run) -> None:
    run.write("""
        def test_it(identity_emulator, pytestconfig):
            (pytestconfig.invocation_params.dir / "pages").write_text("a file")
            assert False
    """)

    outcome = run(*OPTION)

    assert "1 failed" in outcome.summary
    assert "no page of it was written: can't write" in outcome


@pytest.mark.parametrize(
    "nodeid",
    ["con.py::test", "../../etc/passwd", "a" * 500, "test_é.py::test[\u202e]", "t.py::t[a/b\\c:d]", "", "\ud800"],
)
def test_a_name_is_one_that_every_system_takes(nodeid: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{9,140}\.html", html_name(nodeid))


def test_tests_whose_names_look_alike_have_files_of_their_own() -> None:
    assert len({html_name(nodeid) for nodeid in ("t.py::t[a/b]", "t.py::t[a-b]", "t/py::t[a b]")}) == 3
