"""Fixtures of all tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, settings

from emulator import Config, Emulator, running_in_thread
from tests.recorded_rows import RECORDED_AT

# On a busy machine examples, and generating them, can be slow. `make slow` has the second.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", PATIENT, max_examples=50)
settings.register_profile("thorough", PATIENT, max_examples=500)
settings.load_profile("quick")

DATA = Path(__file__).parent / "data"
API_KEY = "00000000-0000-4000-8000-000000000001"


def data(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def recorded_key_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The PEM files of the key that signed the recorded tokens."""
    folder = tmp_path_factory.mktemp("keys")
    return write_key_pair(folder, int(data("test_key.json")["scalar"]))


def write_key_pair(folder: Path, scalar: int, curve: ec.EllipticCurve | None = None) -> tuple[Path, Path]:
    private_path, public_path = folder / "id_ecdsa", folder / "id_ecdsa.pub"
    key = ec.derive_private_key(scalar, curve or ec.SECP256R1())
    private_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public_path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private_path, public_path


@pytest.fixture(scope="session")
def session_emulator() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


@pytest.fixture
def emulator(session_emulator: Emulator) -> Emulator:
    """The session's server with a new world, profile `documented`."""
    session_emulator.begin(Config())
    return session_emulator


@pytest.fixture(scope="session")
def session_v2(recorded_key_pair: tuple[Path, Path]) -> Iterator[Emulator]:
    private_path, public_path = recorded_key_pair
    config = Config(
        spacetime_profile="v2.8", freeze_at=RECORDED_AT, jwt_priv_key_path=private_path, jwt_pub_key_path=public_path
    )
    with running_in_thread(config) as emulator:
        yield emulator


@pytest.fixture
def v2(session_v2: Emulator) -> Emulator:
    """A server in profile `v2.8` with the key and the time of the recordings."""
    session_v2.reset()
    return session_v2
