"""Test files that other languages' runners run side by side, each in a world of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator, running_in_thread
from tests.limits import LIMIT

NODE = """
import assert from "node:assert/strict";
import { test } from "node:test";

const opened = await fetch(`${process.env.IDENTITY_EMULATOR_URL}/_emulator/worlds`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ idle_exit: 60 }),
});
const { url } = await opened.json();

test("the world is this file's own", async () => {
  for (let round = 1; round <= 5; round++) {
    await fetch(`${url}/_emulator/reset`, { method: "POST" });
    for (let n = 0; n < 40; n++) await (await fetch(`${url}/v1/identity`, { method: "POST" })).text();
    const journal = await (await fetch(`${url}/_emulator/journal`)).json();
    assert.equal(journal.total, 40);
  }
});
"""

GO = """
package NAME

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

func post(t *testing.T, url string, body string, into any) {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestTheWorldIsThisPackagesOwn(t *testing.T) {
	var world struct{ ID, URL string }
	post(t, os.Getenv("IDENTITY_EMULATOR_URL")+"/_emulator/worlds", `{"idle_exit": 60}`, &world)
	for round := 0; round < 5; round++ {
		var ignored any
		post(t, world.URL+"/_emulator/reset", "", &ignored)
		for n := 0; n < 40; n++ {
			post(t, world.URL+"/v1/identity", "", &ignored)
		}
		answer, err := http.Get(world.URL + "/_emulator/journal")
		if err != nil {
			t.Fatal(err)
		}
		var journal struct{ Total int }
		json.NewDecoder(answer.Body).Decode(&journal)
		answer.Body.Close()
		if journal.Total != 40 {
			t.Fatalf("%d exchanges of 40", journal.Total)
		}
	}
}
"""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


def passes(emulator: Emulator, folder: Path, *command: str, **variables: str) -> None:
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={**os.environ, **emulator.env(), **variables},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_files_of_node_keep_apart(emulator: Emulator, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.test.mjs").write_text(NODE, encoding="utf-8")

    passes(emulator, tmp_path, "node", "--test", "one.test.mjs", "two.test.mjs")

    assert [len(each.journal) for each in emulator.worlds] == [40, 40]
    assert len(emulator.journal) == 0


def test_two_packages_of_go_keep_apart(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/worlds\n\ngo 1.20\n", encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "world_test.go").write_text(GO.replace("NAME", name), encoding="utf-8")

    passes(emulator, tmp_path, "go", "test", "./...", GOFLAGS="-mod=mod", GOTOOLCHAIN="local")

    assert [len(each.journal) for each in emulator.worlds] == [40, 40]
