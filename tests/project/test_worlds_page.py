"""docs/worlds.md: its examples run."""

import json
import re
from typing import Any

import requests

import emulator
from emulator.control.api.bodies import WorldWanted
from tests.project.import_rules import ROOT
from tests.waiting import PATIENCE

TEXT = (ROOT / "docs" / "worlds.md").read_text(encoding="utf-8")


def test_the_python_example_runs() -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

    exec(example, {"emulator": emulator})  # noqa: S102 - our own page


def test_the_body_in_the_shell_example_opens_a_world() -> None:
    [body] = re.findall(r"-d '(.*)'", TEXT)

    with emulator.running_in_thread() as first:
        sent: Any = json.loads(body)
        assert requests.post(f"{first.url}/_emulator/worlds", json=sent, timeout=PATIENCE).status_code == 200


def test_each_key_of_the_body_is_on_the_page() -> None:
    assert [name for name in WorldWanted.__struct_fields__ if f"`{name}`" not in TEXT] == []
