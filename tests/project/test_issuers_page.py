"""docs/issuers.md: its examples run, its scenario is valid, and no argument, method or route is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from emulator import Emulator, running_in_thread
from emulator.control.api.routes import OPERATIONS
from emulator.control.issuers import Issuer
from emulator.scenario.loader import problems_of
from emulator.scenario.schema import IssuerPart
from tests.project.pages import Page, outcome_of
from tests.waiting import PATIENCE

PAGE = Page("docs/issuers.md")


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


def test_each_python_block_runs(tmp_path: Path) -> None:
    examples = PAGE.blocks("python")

    outcome = outcome_of(tmp_path, examples, "-W", "default")  # oidc-provider-mock calls what is deprecated

    assert f"{len(examples)} passed" in outcome.summary, outcome


def test_the_scenario_is_valid_and_the_played_issuers_sign(tmp_path: Path) -> None:
    path = tmp_path / "issuers.yaml"
    [text] = PAGE.blocks("yaml")
    path.write_text(text, encoding="utf-8")

    assert list(map(str, problems_of(str(path)))) == []
    with running_in_thread(scenario=path) as emulator:
        for name in ("alice", "bob"):
            headers = {"Authorization": f"Bearer {emulator.actors[name].token}"}
            url = f"{emulator.url}/v1/identity/{emulator.actors[name].identity}/verify"
            assert requests.get(url, headers=headers, timeout=PATIENCE).status_code == 204


def test_each_curl_gets_the_answer_shown_below_it(served: Emulator) -> None:
    served.reset()

    assert PAGE.unlike(served.url, PAGE.answered()) == []
    assert len(PAGE.answered()) == 3


@pytest.mark.parametrize("name", [name for name in dir(Issuer) if not name.startswith("_")])
def test_each_member_has_a_row(name: str) -> None:
    assert f"`.{name}" in PAGE.text


@pytest.mark.parametrize("name", IssuerPart.__struct_fields__)
def test_each_key_of_a_scenario_is_named(name: str) -> None:
    assert f"{name}:" in PAGE.text or f"`{name}`" in PAGE.text


@pytest.mark.parametrize("path", sorted({path for each in OPERATIONS for path in each.paths if "/issuers" in path}))
def test_each_route_is_named(path: str) -> None:
    assert path.replace(":n/.well-known/jwks.json", ":n/.well-known/openid-configuration") in PAGE.text
