"""The current world in one line, and the options that make it again."""

import shlex
from os import PathLike

from emulator.core.clock import rfc3339
from emulator.core.errors import Misconfigured
from emulator.services.spacetimedb.releases import DEFAULT
from emulator.world.stage import Stage


def heading(stage: Stage, port: int) -> str:
    """`seed=42 v2.14 scenario=flaky_intuition clock=2024-…Z frozen; again: identity-emulator serve --port 3000 …`"""
    world = stage.settled_world()
    clock = f"clock={rfc3339(world.clock.micros())}{' frozen' if world.clock.frozen else ''}"
    named = f" scenario={','.join(world.scenario)}" if world.scenario else ""
    again = f"identity-emulator serve --port {port} {again_options(stage)}"
    return f"seed={world.seed} {world.spacetime.profile.name}{named} {clock}; again: {again}"


def again_options(stage: Stage) -> str:
    """The options of `serve` that make the same world; documents and functions can't be options."""
    world, config = stage.settled_world(), stage.shown_config
    options = ["--seed", str(world.seed)]
    if world.spacetime.profile.name != DEFAULT:
        options += ["--spacetime-profile", world.spacetime.profile.name]
    for layer in config.layers:
        if isinstance(layer, str | PathLike):
            options += ["--scenario", str(layer)]
    if began := _frozen_at(stage):
        options += ["--freeze-at", began]
    for name in ("jwt_priv_key_path", "jwt_pub_key_path"):
        if (path := getattr(config, name)) is not None:
            options += [f"--{name.replace('_', '-')}", str(path)]
    missing = sum(not isinstance(layer, str | PathLike) for layer in config.layers)
    return shlex.join(options) + (f" (without {missing} scenarios that are no files)" if missing else "")


def _frozen_at(stage: Stage) -> str:
    """The time at which the world's clock stood at its start; empty when it ran."""
    try:
        clock = stage.beginning(stage.shown_config).clock
    except Misconfigured:  # a file of it is gone
        return ""
    return rfc3339(clock.micros()) if clock.frozen else ""
