"""What an operation takes and answers, as values; `emulator.control.api.openapi_document` writes them down.

Types are whatever msgspec has a schema for: `str`, `Annotated[int, Meta(ge=1)]`, a Struct.
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
    """One status. Without a `type` the body is empty; with `or_empty` it can be, and then has no content type."""

    status: int
    what: str
    type: Any = None
    media_type: str = JSON
    or_empty: bool = False


class OperationDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Of one operation. `security` names schemes, any of which will do; an empty name stands for none at all."""

    summary: str
    responses: tuple[ResponseDoc, ...]
    parameters: tuple[ParameterDoc, ...] = ()
    body: Any = None
    """The type of a JSON body; None when no body is looked at."""
    body_required: bool = True
    example: Any = None
    """A body."""
    security: tuple[str, ...] = ()


class ApiDoc(msgspec.Struct, frozen=True, kw_only=True):
    """An API: its operations, what they take and answer, and how its callers show who they are."""

    name: str
    what: str
    operations: tuple[Operation, ...]
    operation_docs: Mapping[str, OperationDoc]
    """By the operation's name."""
    schemes: Mapping[str, Mapping[str, str]]
    """OpenAPI's security schemes."""

    @property
    def undocumented(self) -> list[str]:
        return [each.name for each in self.operations if each.name not in self.operation_docs]
