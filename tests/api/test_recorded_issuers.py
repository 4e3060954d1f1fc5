"""Foreign issuers as SpacetimeDB 2.8.3 and 2.14 judge them (`rules_2_14.json`): status and text, without the place."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
import requests

from emulator import Config, Emulator
from emulator.services.spacetimedb.model import identity_of
from tests.foreign_cases import CASES, NOW, Built, case
from tests.provider import DISCOVERY, Page, Pages, serving_pages
from tests.recorded_rows import rules_of_issuers
from tests.recordings import RECORDED
from tests.waiting import PATIENCE
from tests.worlds import make_stage, served, world_of

RECORDED_CASES = rules_of_issuers(RECORDED / "rules_2_14.json.gz")
RELEASES = {"v1": "2.8.3", "v2.8": "2.8.3", "v2.14": "2.14"}
CHOSEN = (401, "Invalid token: InvalidSignature")
"""Where 2.8.3 gives no answer at all (docs/fidelity.md, Issuers)."""


class Lab(NamedTuple):
    profile: str
    emulator: Emulator
    issuers: Any
    pages: Pages


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with serving_pages() as found:
        yield found


@pytest.fixture(scope="module", params=RELEASES)
def lab(request: pytest.FixtureRequest, pages: Pages) -> Iterator[Lab]:
    stage = make_stage(Config(spacetime_profile=request.param, freeze_at=datetime.fromtimestamp(NOW, UTC)))
    with served(stage) as emulator:
        yield Lab(request.param, emulator, world_of(stage).spacetime.issuers, pages)


def serve(pages: Pages, name: str, built: Built) -> str:
    """The URL of a provider that serves what the case says."""
    url = pages.provider(name, built.document)
    keys, discovery = f"/{name}/keys", f"/{name}{DISCOVERY}"
    headers = {"content-type": "application/json", **built.headers}
    pages.by_path[keys] = Page(built.document, built.status, headers)
    said = {"jwks_uri": f"{url}/keys", **built.discovery}
    pages.by_path[discovery] = Page(str(said).replace("'", '"').encode(), built.status, headers)
    if built.redirected:
        pages.by_path[f"/{name}/moved"] = pages.by_path[discovery]
        pages.by_path[discovery] = Page(b"", 302, {"location": f"/{name}/moved"})
    return url


def answer(emulator: Emulator, token: str) -> tuple[int, str]:
    response = requests.post(
        f"{emulator.url}/v1/identity/websocket-token", headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE
    )
    return response.status_code, "" if response.status_code == 200 else response.text


def expected(name: str, profile: str, built: Built, url: str) -> tuple[int, str]:
    """What was recorded, in the words of the profile."""
    recorded = RECORDED_CASES[name][RELEASES[profile]]
    if recorded["status"] is None:
        status, text = CHOSEN
    else:
        status, text = recorded["status"], recorded["body"] or ""
    issuer = built.issuer.format(url=url)
    text = text.replace("<iss>", issuer)
    text = re.sub(
        r"computed identity Identity\(\w+\)", f"computed identity Identity({identity_of(issuer, 'alice')})", text
    )
    return status, in_debug(text) if profile == "v1" else text


def in_debug(text: str) -> str:
    """The text of a 401 in Rust's Debug format."""
    if text == "Specified key ID not found in JWKs":
        return "KeyIDNotFound"
    if text.startswith("Invalid token: JSON error: "):
        message = text.removeprefix("Invalid token: JSON error: ").partition(" at line")[0]
        quoted = message.replace("\\", "\\\\").replace('"', '\\"')
        return f'TokenError(Error(Json(Error("{quoted}", line: 1, column: 1))))'
    if text.startswith("Invalid token: Base64"):
        return "TokenError(Error(Base64(InvalidByte(0, 42))))"
    if text.startswith("Invalid token: "):
        return f"TokenError(Error({text.removeprefix('Invalid token: ')}))"
    return f"Other({text})" if text else ""


def without_place(found: tuple[int, str]) -> tuple[int, str]:
    return found[0], re.sub(r"( at line \d+ column \d+|, line: \d+, column: \d+)", "", found[1])


def test_every_recorded_case_is_built() -> None:
    assert list(CASES) == list(RECORDED_CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_fetched_issuer_is_judged_as_recorded(lab: Lab, name: str) -> None:
    built, profile = case(name), lab.profile
    url = serve(lab.pages, f"{profile}-{list(CASES).index(name)}", built)
    if lab.issuers.find(url) is None:
        lab.issuers.register(url, fetch=True)

    found = answer(lab.emulator, built.token(url))

    assert without_place(found) == without_place(expected(name, profile, built, url))


@pytest.mark.parametrize("name", [name for name in CASES if not case(name).is_about_http])
def test_inline_keys_are_judged_as_recorded(lab: Lab, name: str) -> None:
    built, profile = case(name), lab.profile
    url = f"https://{list(CASES).index(name)}.example.com"
    if lab.issuers.find(url) is None:
        lab.issuers.register(url, jwks=built.document, accept_as_server=True)

    found = answer(lab.emulator, built.token(url))

    assert without_place(found) == without_place(expected(name, profile, built, url))
