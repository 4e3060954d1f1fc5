"""Foreign issuers in scenarios: their key sets, their actors' tokens, and mistakes with their positions."""

import base64
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from emulator import Misconfigured
from emulator.control.emulator import LocalEmulator
from emulator.scenario.loader import find, problems_of
from emulator.scenario.schema import Algorithm
from emulator.services.spacetimedb.issuers.played import ALGORITHMS
from emulator.services.spacetimedb.model import identity_of
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.world.config import Given
from tests.foreign_cases import A, B, Built
from tests.unit.scenario.support import MOMENT, document, handle, problems, refused
from tests.worlds import make_world

URL, OTHER = "https://auth.example.com", "https://other.example.com"
NOT_FOUND = "Specified key ID not found in JWKs"
BROKEN = {"keys": [A.named("a"), {"kty": "XX", "kid": "b"}]}
WITHOUT_KID = {"keys": [A.named(None)]}


def described(issuers: Any, identities: Any = None, **parts: Any) -> dict[str, Any]:
    return document(spacetime={"issuers": issuers, "identities": identities or {}, **parts})


def judged(emulator: LocalEmulator, token: str) -> str:
    try:
        emulator.stage.settled_world().spacetime.read(token)
    except TokenRefused as refused:
        return refused.text
    return "valid"


def parts(token: str) -> tuple[Any, Any]:
    """Header and claims."""
    header, claims = (json.loads(base64.urlsafe_b64decode(f"{each}==")) for each in token.split(".")[:2])
    return header, claims


# --- actors -----------------------------------------------------------------------------------------------------------


def test_an_identity_of_a_played_issuer_gets_its_token_from_it() -> None:
    alice = {"issuer": URL, "subject": "alice", "audience": "app", "claims": {"kid": "odd"}, "expires_in": 60}
    emulator = handle(described({URL: {"algorithm": "RS256"}}, {"alice": alice}))

    token = emulator.actors["alice"].token

    begun = int(MOMENT.timestamp())
    claims = {"iss": URL, "sub": "alice", "iat": begun, "aud": ["app"], "exp": begun + 60, "kid": "odd"}
    assert parts(token) == ({"typ": "JWT", "alg": "RS256", "kid": "rs256-1"}, claims)
    assert emulator.actors["alice"].identity == identity_of(URL, "alice")
    assert judged(emulator, token) == "valid"


def test_members_of_a_crowd_do_too() -> None:
    scenario = document(spacetime={"issuers": {URL: None}, "crowd": {"count": 2, "issuer": URL}})
    emulator = handle(scenario)

    assert parts(emulator.actors["user-2"].token)[0]["kid"] == "es256-1"


def test_a_token_is_of_the_first_key_however_often_it_was_rotated() -> None:
    emulator = handle(described({URL: None}, {"alice": {"issuer": URL}}))

    emulator.spacetime.issuers[URL].rotate_key()

    assert parts(emulator.actors["alice"].token)[0]["kid"] == "es256-1"
    assert judged(emulator, emulator.actors["alice"].token) == NOT_FOUND


def test_another_token_of_an_actor_is_of_the_current_key() -> None:
    emulator = handle(described({URL: None}, {"alice": {"issuer": URL, "claims": {"role": "admin"}}}))
    emulator.spacetime.issuers[URL].rotate_key()

    header, claims = parts(emulator.actors["alice"].issue_token(expires_in=60))

    assert (header["kid"], claims["role"], claims["exp"] - claims["iat"]) == ("es256-2", "admin", 60)


def test_the_iss_of_a_token_is_as_the_identity_has_it() -> None:
    emulator = handle(described({URL: None}, {"alice": {"issuer": f"{URL}/", "subject": "alice"}}))

    assert parts(emulator.actors["alice"].token)[1]["iss"] == f"{URL}/"


@pytest.mark.parametrize("issuer", [{"jwks": {"keys": [A.named("a")]}}, {"fetch": True}])
def test_where_private_keys_are_elsewhere_the_server_signs(issuer: Any) -> None:
    emulator = handle(described({URL: issuer}, {"alice": {"issuer": URL}}))

    assert "kid" not in parts(emulator.actors["alice"].token)[0]
    assert judged(emulator, emulator.actors["alice"].token) == "valid"


def test_the_same_seed_makes_the_same_token() -> None:
    scenario = described({URL: None}, {"alice": {"issuer": URL}})

    assert handle(scenario).actors["alice"].token == handle(scenario).actors["alice"].token


def test_two_issuers_a_rotation_and_an_outage_play_tick_by_tick() -> None:
    """docs/fidelity.md, Issuers."""
    people = {"alice": {"issuer": URL, "subject": "alice"}, "bob": {"issuer": OTHER, "subject": "bob"}}
    emulator = handle(described({URL: None, OTHER: {"algorithm": "RS256"}}, people))
    auth, other = emulator.spacetime.issuers.values()
    alice, bob = emulator.actors["alice"].token, emulator.actors["bob"].token
    assert [judged(emulator, alice), judged(emulator, bob)] == ["valid", "valid"]

    auth.rotate_key()
    other.down()
    other.rotate_key()
    seen = []
    for seconds in (299, 1):
        emulator.clock.advance(seconds)
        seen.append([judged(emulator, each) for each in (alice, auth.issue_token(subject="alice"), bob)])
    other.up()
    emulator.clock.advance(300)

    assert seen == [["valid", NOT_FOUND, "valid"], [NOT_FOUND, "valid", "valid"]]
    assert [judged(emulator, bob), judged(emulator, other.issue_token(subject="bob"))] == [NOT_FOUND, "valid"]


# --- keys inline ------------------------------------------------------------------------------------------------------


def write(folder: Path, keys: Any, scenario: str = "") -> Path:
    (folder / "keys.json").write_text(keys if isinstance(keys, str) else json.dumps(keys), encoding="utf-8")
    path = folder / "it.yaml"
    text = scenario or f"version: 1\nspacetime:\n  issuers:\n    {URL}:\n      jwks: keys.json\n"
    path.write_text(text, encoding="utf-8")
    return path


def valid_at_all(scenario: Given) -> str:
    return judged(handle(scenario), Built(claims={"exp": None}).token(URL))


def test_a_document_is_a_key_set() -> None:
    assert valid_at_all(described({URL: {"jwks": {"keys": [A.named("a")]}}})) == "valid"


def test_a_file_is_relative_to_the_scenarios_folder(tmp_path: Path) -> None:
    assert valid_at_all(write(tmp_path, {"keys": [A.named("a")]})) == "valid"


def test_a_file_of_a_base_scenario_is_relative_to_its_folder(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    write(tmp_path / "base", {"keys": [A.named("a")]})
    above = tmp_path / "above.yaml"
    above.write_text("version: 1\nextends: base/it.yaml\n", encoding="utf-8")

    assert valid_at_all(above) == "valid"


def test_the_plain_document_has_the_key_set_itself(tmp_path: Path) -> None:
    """So that it can be sent to another process."""
    keys = {"keys": [A.named("a")]}

    assert find([write(tmp_path, keys)]).plain["spacetime"]["issuers"][URL]["jwks"] == keys


def test_a_refused_key_is_named_in_its_own_file(tmp_path: Path) -> None:
    text = '{"keys": [\n  {"kty": "oct", "kid": "a", "k": "AA"},\n  {"kty": "XX", "kid": "b"}\n]}'

    [problem] = map(str, problems_of(str(write(tmp_path, text))))

    assert problem.startswith(f'keys.json:3:3 spacetime.issuers."{URL}".jwks.keys[1]: the server refuses the whole key')


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("[]", "keys.json is no JSON object"),
        ('{"keys": [', "keys.json:1:"),
        ('{"keys": [], "keys": []}', "duplicate key"),
        ("", "keys.json is empty"),
    ],
)
def test_a_file_that_is_no_key_set_is_a_mistake(tmp_path: Path, keys: str, why: str) -> None:
    [problem] = map(str, problems_of(str(write(tmp_path, keys))))

    assert problem.startswith(f"{tmp_path}/it.yaml:5:13 spacetime.issuers") or "it.yaml:5:13" in problem
    assert why in problem


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    (tmp_path / "keys.json").unlink()

    [problem] = map(str, problems_of(str(path)))

    assert f'it.yaml:5:13 spacetime.issuers."{URL}".jwks: there is no scenario file keys.json' in problem


def test_a_document_without_a_file_names_none() -> None:
    assert "a document without a file can't name one; put the key set itself here" in refused(
        described({URL: {"jwks": "/etc/hostname"}})
    )


def test_a_broken_set_is_accepted_as_by_the_server() -> None:
    emulator = handle(described({URL: {"jwks": BROKEN, "accept_as_server": True}}))

    assert judged(emulator, Built().token(URL)) == f"Error fetching public key for issuer {URL}"


@pytest.mark.parametrize(
    ("profile", "is_refused"), [("v1", True), ("v2.8", True), ("v2.14", False), ("documented", False)]
)
def test_a_key_without_kid_is_as_the_profile_has_it(profile: str, is_refused: bool) -> None:
    scenario = described({URL: {"jwks": WITHOUT_KID}}, profile=profile)

    if is_refused:
        assert "keys[0]: the server refuses the whole key set: keys[0]" in refused(scenario)
    else:
        assert handle(scenario).spacetime.issuers[URL].jwks == WITHOUT_KID


def test_what_only_the_profile_of_the_command_refuses_is_refused_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, WITHOUT_KID)

    with pytest.raises(Misconfigured, match=rf'it\.yaml:4:5 spacetime\.issuers\."{URL}".*\(profile v2\.8\) refuses'):
        make_world(scenario=path, spacetime_profile="v2.8")
    assert len(make_world(scenario=path).spacetime.issuers) == 1


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issuers", "problem"),
    [
        ("{auth.example.com: }", '2:23 spacetime.issuers."auth.example.com": the server fetches keys only from URLs'),
        ("{'': }", "an issuer is a URL of 1 to 2000 characters"),
        (f"{{'{URL}': , '{URL}/': }}", f"the server fetches the keys of {URL} from the same place; remove one"),
        (f"{{'{URL}': {{algorithm: ES1}}}}", "'ES1' is not allowed here; "),
        (f"{{'{URL}': {{algoritm: ES256}}}}", "unknown key, did you mean"),
        (f"{{'{URL}': {{fetch: true, algorithm: ES256}}}}", "fetch: an issuer has only one of algorithm, jwks, fetch"),
        (f"{{'{URL}': {{jwks: {{keys: [{{kty: XX}}]}}}}}}", "jwks.keys[0]: the server refuses the whole key set"),
        (f"{{'{URL}': {{jwks: {{kids: []}}}}}}", "jwks: the server refuses the whole key set: the key set: missing"),
    ],
)
def test_a_mistake_has_its_place(issuers: str, problem: str) -> None:
    [found] = problems(f"spacetime: {{issuers: {issuers}}}\n")

    assert problem in found
    assert found.startswith("it.yaml:2:")


def test_more_than_a_thousand_are_too_many() -> None:
    issuers = "".join(f"    https://{number}.example.com:\n" for number in range(1001))

    [found] = problems(f"spacetime:\n  issuers:\n{issuers}")

    assert "1,001 issuers up to here; the limit is 1,000" in found


def test_the_algorithms_are_those_that_are_played() -> None:
    assert get_args(Algorithm) == ALGORITHMS


def test_a_key_of_another_is_no_key_of_the_issuer() -> None:
    emulator = handle(described({URL: {"jwks": {"keys": [B.named("b")]}}}))

    assert judged(emulator, Built(claims={"exp": None}).token(URL)) == NOT_FOUND
