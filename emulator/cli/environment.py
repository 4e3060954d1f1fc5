"""Settings in environment variables, `IDENTITY_EMULATOR_…`."""

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

import click

from emulator.core.suggestions import did_you_mean

PREFIX = "IDENTITY_EMULATOR_"

# What Kubernetes sets in every pod for a service named `identity-emulator`, or `identity-emulator-…`:
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_INJECTED = re.compile(r"(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)")
_INJECTED_PORT = re.compile(r"(?:.+_)?PORT")
_INJECTED_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")

EXEC = "EXEC"
_OTHERS = ("URL", "CONTROL_TOKEN", "READY_FILE", "CA_FILE", "TRUSTSTORE", "WORLD_PORTS", "WORLDS", EXEC)
"""Names that `serve`, `health`, `exec` or the pytest plugin use or set, whatever command looks."""
_URL_OF_A_WORLD = re.compile(r"URL_[0-9]+")
"""What `exec --worlds` sets."""


def setting(name: str) -> str | None:
    """The value of a variable, without blanks and line ends around it; None for what Kubernetes set."""
    value = os.environ.get(PREFIX + name)
    return None if value is None or _is_injected(name, value) else value.strip()


def _is_injected(name: str, value: str) -> bool:
    if _INJECTED_PORT.fullmatch(name) and _INJECTED_ADDRESS.match(value):
        return True
    return _INJECTED.fullmatch(name) is not None


def unknown(command: click.Command) -> list[str]:
    """A warning for each variable with our prefix that is no option."""
    known = [PREFIX + name for name in {*_OTHERS, *(str(each.name).upper() for each in command.params)}]
    found = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return [
        f"{name} is no option; {did_you_mean(name, _with_the_word(name, sorted(known)) or sorted(known))}"
        for name in found
        if not _is_injected(name.removeprefix(PREFIX), os.environ[name])
        and not _URL_OF_A_WORLD.fullmatch(name.removeprefix(PREFIX))
    ]


def _with_the_word(name: str, known: Iterable[str]) -> list[str]:
    """Those that end as this name does: `CONTROL_TOKEN` for `TOKEN`, before what has similar letters."""
    return [each for each in known if each.endswith("_" + name.removeprefix(PREFIX))]


class _Given(NamedTuple):
    """An option that was set in the environment."""

    option: str
    field: str
    variable: str
    values: tuple[str, ...]
    """Values that a message would quote; none of a type whose values are all over messages, like a number."""


_META = f"{__name__}.given"


class Setting(click.Option):
    """An option that can be set in the environment; then messages name the variable."""

    empty_is_unset = True

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        name = str(self.name).upper()
        value = setting(name)
        if value is None or (not value and self.empty_is_unset):
            return None
        quoted = value.split() if self.multiple else [value] if isinstance(self.type, click.Path) else []
        given = ctx.meta.setdefault(_META, [])
        given.append(_Given(self.opts[0], str(self.name), PREFIX + name, tuple(quoted)))
        return value

    def get_error_hint(self, ctx: click.Context | None) -> str:
        given: list[_Given] = ctx.meta.get(_META, []) if ctx else []
        return next((each.variable for each in given if each.option in self.opts), super().get_error_hint(ctx))


class Secret(Setting):
    """An empty variable is a mistake, not the same as none."""

    empty_is_unset = False


def as_given(message: str, context: click.Context) -> str:
    """The message, with the variable's name for each option that was set in the environment."""
    given: Iterable[_Given] = context.meta.get(_META, ())
    names = {name: each.variable for each in given for name in (each.option, each.field)}
    told = re.sub(r"(?<![\w-])[a-z-][a-z_-]*", lambda found: names.get(found[0], found[0]), message)
    about = next((each.variable for each in given if any(value in message for value in each.values)), None)
    return f"{about}: {told}" if about is not None and about not in told else told
