"""Operations of the emulated APIs."""

import re
from collections.abc import Iterable

import msgspec

from emulator.core.path_pattern import PathPattern
from emulator.core.suggestions import Suggest, did_you_mean

ANY_METHOD = "*"
"""The method of an operation that takes all of them."""

_PARAMETER = re.compile(r":\w+")
_CATCH_ALL = re.compile(r"/\*\w+\Z")
_SHOWN = 200
"""Characters of a pattern in a message."""
_SUGGESTED = 3
"""Routes that are named when none is similar."""
_OTHERS = "; GET /_emulator/openapi.json has all, and what is none of them can have a fault once it has a stub"


class Operation(msgspec.Struct, frozen=True):
    """`name` is like `spacetime.verify`; `paths` are its path and its aliases, with parameters as `:identity`.

    A path that ends in `/*rest` is any that has something there; `method` can be `ANY_METHOD`. One that is not
    `emulated` is a route of the real server that needs what the emulator does not have, such as a module. It is
    answered with 501, and a stub may answer it.
    """

    name: str
    method: str
    paths: tuple[str, ...]
    emulated: bool = True
    upgrades: bool = False
    """Whether its response can make the connection a WebSocket."""

    def aliases(self, path: str, params: tuple[str, ...]) -> tuple[str, ...]:
        """`path` and every other path of this operation with the same parameters."""
        return (path, *(_filled(each, params) for each in self.paths if len(self.paths) > 1))


def _filled(template: str, params: tuple[str, ...]) -> str:
    values = iter(params)
    return "/".join(next(values) if segment.startswith(":") else segment for segment in template.split("/"))


def matching(method: str, pattern: str, known: Iterable[Operation]) -> list[Operation]:
    """The operations that requests of `method` (`*` is any) and the path pattern can reach."""
    return [
        operation
        for operation in known
        if _may_be_sent(method, operation.method) and any(_may_meet(pattern, path) for path in operation.paths)
    ]


def upgraded_by(request: str, known: Iterable[Operation]) -> bool:
    """Whether a pattern such as `GET /v1/**` can match a request that upgrades to a WebSocket."""
    method, _, path = request.partition(" ")
    return any(operation.upgrades for operation in matching(method, path, known))


def _may_be_sent(method: str, known: str) -> bool:
    return ANY_METHOD in {method, known} or method == known or (method == "HEAD" and known == "GET")


def why_never(request: str, known: Iterable[Operation], suggest: Suggest = did_you_mean) -> str:
    """Why a pattern such as `POST /v1/identity` can never match a request; empty when it can."""
    method, _, path = request.partition(" ")
    if not path:
        return f"{request[:_SHOWN]!r} is not like 'POST /v1/identity'"
    known = tuple(known)
    if matching(method, path, known):
        return ""
    routes = [f"{each.method} {pattern_of(path)}" for each in known for path in each.paths]
    hint = suggest(request, routes, _SUGGESTED)
    return f"no route matches {request[:_SHOWN]!r}; {hint}{'' if hint.endswith('?') else _OTHERS}"


def pattern_of(path: str) -> str:
    """`/identity/*` for `/identity/:id`."""
    return _PARAMETER.sub("*", _CATCH_ALL.sub("/**", path))


def _may_meet(pattern: str, path: str) -> bool:
    """Whether some request's path matches both a pattern and the path of an operation."""
    segments = path.split("/")
    goes_on = segments[-1].startswith("*")
    reached = {0}
    """How many of them the pattern may have passed."""
    for wanted in pattern.split("/"):
        if "**" in wanted:
            reached = set(range(min(reached), len(segments) + 1))
        else:
            passed = {len(segments)} & reached if goes_on else set()
            reached = passed | {at + 1 for at in reached if at < len(segments) and _may_be(wanted, segments[at])}
        if not reached:
            return False
    return len(segments) in reached


def _may_be(wanted: str, segment: str) -> bool:
    return segment.startswith((":", "*")) or PathPattern(wanted).matches(segment)
