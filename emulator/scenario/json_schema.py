"""The JSON Schema of scenarios, from the structs and the docstrings of their fields."""

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from emulator.faults import kinds, step
from emulator.scenario import schema as model
from emulator.world import stubs

_TITLE = "A scenario of identity-emulator"


def schema() -> dict[str, Any]:
    """As JSON Schema 2020-12."""
    (top,), parts = msgspec.json.schema_components([model.Scenario], ref_template="#/$defs/{name}")
    described = descriptions()
    for name, part in parts.items():
        part.pop("title", None)
        for key, field in part.get("properties", {}).items():
            field["description"] = described[name].get(key.removeprefix("$"), "")
            field.pop("default", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": _TITLE, **top, "$defs": parts}


def schema_text() -> str:
    """The content of the schema files."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def descriptions() -> Mapping[str, Mapping[str, str]]:
    """The docstring of each field, by class and field."""
    trees = [ast.parse(inspect.getsource(module)) for module in (model, kinds, step, stubs)]
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    return {each.name: _fields(each) for each in classes}


def _fields(found: ast.ClassDef) -> dict[str, str]:
    pairs = zip(found.body, found.body[1:], strict=False)
    return {
        field.target.id: inspect.cleandoc(said.value.value).replace("\n", " ")
        for field, said in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)
    }


if __name__ == "__main__":
    sys.stdout.write(schema_text())
