"""Parameters, bodies and responses of operations, from which `emulator.control.api.openapi_document` is made.

Types are those for which msgspec has a JSON Schema: `str`, `Annotated[int, Meta(ge=1)]`, a Struct.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from emulator.http.operation import Operation
from emulator.http.response import JSON


class ParameterDoc(msgspec.Struct, frozen=True):
    name: str
    what: str
    type: Any = str
    where: Literal["path", "query", "header"] = "query"
    required: bool = False
    example: Any = None


class ResponseDoc(msgspec.Struct, frozen=True):
    """One status. Without `type` the body is empty; with `or_empty` it can be empty, and then has no content type."""

    status: int
    what: str
    type: Any = None
    media_type: str = JSON
    or_empty: bool = False


class OperationDoc(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `security` names alternative schemes; an empty name means that credentials are optional."""

    summary: str
    responses: tuple[ResponseDoc, ...]
    parameters: tuple[ParameterDoc, ...] = ()
    body: Any = None
    """The type of the JSON body; None when the body is ignored."""
    body_required: bool = True
    example: Any = None
    """An example of the body."""
    security: tuple[str, ...] = ()


class ApiDoc(msgspec.Struct, frozen=True, kw_only=True):
    """An API: its operations, their documentation, and its ways to authenticate."""

    name: str
    what: str
    operations: tuple[Operation, ...]
    operation_docs: Mapping[str, OperationDoc]
    """By name of the operation."""
    schemes: Mapping[str, Mapping[str, str]]
    """OpenAPI's security schemes."""

    @property
    def undocumented(self) -> list[str]:
        return [each.name for each in self.operations if each.name not in self.operation_docs]
