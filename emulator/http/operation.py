"""What can be asked of the emulated APIs."""

import re
from collections.abc import Iterable

import msgspec

from emulator.core.path_pattern import path_pattern
from emulator.core.suggestions import did_you_mean

_PARAMETER = re.compile(r":\w+")


class Operation(msgspec.Struct, frozen=True):
    """`name` is like `spacetime.verify`; `paths` are all the paths it has, parameters written as `:identity`."""

    name: str
    method: str
    paths: tuple[str, ...]

    def aliases(self, path: str, params: tuple[str, ...]) -> tuple[str, ...]:
        """The paths that mean the same as `path`, itself among them."""
        return (path, *(_filled(each, params) for each in self.paths if len(self.paths) > 1))


def _filled(template: str, params: tuple[str, ...]) -> str:
    values = iter(params)
    return "/".join(next(values) if segment.startswith(":") else segment for segment in template.split("/"))


def fitting(method: str, pattern: str, known: Iterable[Operation]) -> list[Operation]:
    """The operations that a request like `pattern` can reach. A method of `*` is any."""
    wanted = pattern.split("/")
    return [
        operation
        for operation in known
        if method in {"*", operation.method} | ({"HEAD"} if operation.method == "GET" else set())
        and any(_may_meet(wanted, path.split("/")) for path in operation.paths)
    ]


def why_never(request: str, known: Iterable[Operation]) -> str:
    """Why no request can be like `POST /v1/identity`; nothing when one can."""
    method, _, path = request.partition(" ")
    if not path:
        return f"{request!r} is not like 'POST /v1/identity'"
    known = tuple(known)
    if fitting(method, path, known):
        return ""
    routes = [f"{each.method} {_PARAMETER.sub('*', path)}" for each in known for path in each.paths]
    return f"no route is like {request!r}; {did_you_mean(request, routes)}"


def _may_meet(pattern: list[str], template: list[str]) -> bool:
    """Whether some path fits both."""
    if not pattern or not template:
        return not template and all(segment == "**" for segment in pattern)
    first, *rest = pattern
    if first == "**":
        return _may_meet(rest, template) or _may_meet(pattern, template[1:])
    parameter = template[0].startswith(":")
    return (parameter or bool(path_pattern(first).fullmatch(template[0]))) and _may_meet(rest, template[1:])
