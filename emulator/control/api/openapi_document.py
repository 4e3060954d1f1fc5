"""The OpenAPI 3.1 document of all routes, made from the tables of the APIs.

This module is slow to import, so it is imported only when the document is requested.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from emulator.control.api import operation_docs as control
from emulator.core.version import VERSION
from emulator.http.operation import ANY_METHOD, Operation
from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.http.response import JSON
from emulator.services.intuition import model as intuition_model
from emulator.services.intuition import operation_docs as intuition
from emulator.services.spacetimedb import operation_docs as spacetime
from emulator.services.spacetimedb.releases import Release

_REFERENCE = "#/components/schemas/{name}"
_WHAT = """\
GET routes accept HEAD too, but for `subscribe`. Any other method gets 405, any other path 404; the two APIs send both
with an empty body. A request that is not valid HTTP gets 400 or 431, and the connection is closed. A fault can change
every response."""

Json = dict[str, Any]


def api_docs(spacetimes: Release, intuitions: intuition_model.Profile) -> tuple[ApiDoc, ...]:
    """The two APIs in their profiles, and the control routes."""
    return spacetime.api_doc(spacetimes), intuition.api_doc(intuitions), control.api_doc()


def document(spacetimes: Release, intuitions: intuition_model.Profile) -> Json:
    parts = api_docs(spacetimes, intuitions)
    schemas, components = _schemas(parts)
    paths: dict[str, Json] = {}
    for part in parts:
        for operation in part.operations:
            for number, path in enumerate(operation.paths):
                described = _operation(part, operation, schemas, alias=number > 0)
                for method, each in _by_method(operation, described):
                    paths.setdefault(_template(path), {})[method] = each
    return {
        "openapi": "3.1.0",
        "info": {"title": "identity-emulator", "version": VERSION, "description": _WHAT},
        "tags": [{"name": part.name, "description": part.what} for part in parts],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {name: scheme for part in parts for name, scheme in part.schemes.items()},
        },
    }


def _by_method(operation: Operation, described: Json) -> Iterator[tuple[str, Json]]:
    if operation.method != ANY_METHOD:
        yield operation.method.lower(), described
        return
    for method in _COMMON_METHODS:
        yield method, {**described, "operationId": f"{operation.name}_{method}"}


_COMMON_METHODS = ("get", "post", "put", "patch", "delete")


def _template(path: str) -> str:
    """`/identity/:id` as OpenAPI writes it."""
    return "/".join(f"{{{segment[1:]}}}" if segment[:1] in {":", "*"} else segment for segment in path.split("/"))


def _operation(part: ApiDoc, operation: Operation, schemas: "_Schemas", *, alias: bool) -> Json:
    doc = part.operation_docs[operation.name]
    found: Json = {
        "operationId": f"{operation.name}_alias" if alias else operation.name,
        "tags": [part.name],
        "summary": doc.summary,
        "responses": {str(each.status): _response(each, schemas) for each in doc.responses},
    }
    if alias:
        found["description"] = f"The same as {operation.paths[0]}."
    if doc.parameters:
        found["parameters"] = [_parameter(each, schemas) for each in doc.parameters]
    if doc.body is not None:
        content = {"schema": schemas.of(doc.body), **_example(doc)}
        found["requestBody"] = {"required": doc.body_required, "content": {JSON: content}}
    if doc.security:
        found["security"] = [{name: []} if name else {} for name in doc.security]
    return found


def _response(response: ResponseDoc, schemas: "_Schemas") -> Json:
    if response.type is None:
        return {"description": f"{response.what}; the body is empty"}
    what = f"{response.what}; the body can be empty" if response.or_empty else response.what
    return {"description": what, "content": {response.media_type: {"schema": schemas.of(response.type)}}}


def _parameter(parameter: ParameterDoc, schemas: "_Schemas") -> Json:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.what,
        "schema": schemas.of(parameter.type),
        **_example(parameter),
    }


def _example(doc: OperationDoc | ParameterDoc) -> Json:
    return {} if doc.example is None else {"example": doc.example}


# --- schemas ----------------------------------------------------------------------------------------------------------


class _Schemas:
    """msgspec's JSON Schemas of types; structs are references."""

    def __init__(self, types: list[Any], schemas: tuple[Json, ...]) -> None:
        self._types, self._schemas = types, schemas

    def of(self, wanted: Any) -> Json:
        return self._schemas[self._types.index(wanted)]


def _schemas(parts: tuple[ApiDoc, ...]) -> tuple[_Schemas, dict[str, Json]]:
    """The schemas of all types of requests and responses, and of the structs that they refer to."""
    described = [each for part in parts for each in part.operation_docs.values()]
    sent = [found for each in described for found in _sent(each)]
    answered = [response.type for each in described for response in each.responses if response.type is not None]
    schemas, components = msgspec.json.schema_components([*sent, *answered], ref_template=_REFERENCE)
    _, of_the_sent = msgspec.json.schema_components(sent, ref_template=_REFERENCE)
    shown = {name: schema if name in of_the_sent else _never_null(schema) for name, schema in components.items()}
    return _Schemas([*sent, *answered], schemas), {name: _plain(_one_line(schema)) for name, schema in shown.items()}


def _plain(schema: Json) -> Json:
    """Plain JSON: the default `()` becomes a list."""
    found: Json = msgspec.json.decode(msgspec.json.encode(schema))
    return found


def _sent(doc: OperationDoc) -> Iterator[Any]:
    yield from (parameter.type for parameter in doc.parameters)
    if doc.body is not None:
        yield doc.body


def _never_null(schema: Json) -> Json:
    """Responses omit fields that are None."""
    properties = schema["properties"]
    return {**schema, "properties": {name: _without_null(each) for name, each in properties.items()}}


def _without_null(schema: Mapping[str, Any]) -> Json:
    if schema.get("default", "") is not None or "anyOf" not in schema:
        return dict(schema)
    kinds = [each for each in schema["anyOf"] if each != {"type": "null"}]
    return dict(kinds[0]) if len(kinds) == 1 else {"anyOf": kinds}


def _one_line(schema: Json) -> Json:
    """Docstrings have line breaks."""
    return {**schema, **({"description": " ".join(schema["description"].split())} if "description" in schema else {})}
