"""Making the world of a config and its scenario. What reads scenarios is imported when there is one."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.control.emulator import LocalEmulator
from emulator.core.deferred_free import DeferredFree
from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.scenario.locate import is_python
from emulator.services.intuition.api_keys import DEFAULT_KEY, DEFAULT_WALLET
from emulator.world.blueprint import Blueprint
from emulator.world.config import Config, Source, name_of
from emulator.world.stage import Stage

if TYPE_CHECKING:
    from emulator.scenario.schema import Scenario

__tracebackhide__ = is_misconfigured

_NOWHERE = "http://not-served.invalid"
"""The URL in the emulator passed to a Python scenario: nothing is served there."""


def new_stage(config: Config, below: Config | None = None, deferred: DeferredFree | None = None) -> Stage:
    """A stage that makes worlds of configs and their scenarios; `below` has defaults for settings that both leave out.

    Raises Misconfigured with all mistakes.
    """
    return Stage(config, partial(blueprint, below=below or Config()), deferred)


def blueprint(config: Config, deferred: DeferredFree, below: Config) -> Blueprint:
    """Raises Misconfigured with all mistakes."""
    if not config.layers:
        return _without_scenario(config.over(below), deferred)
    scripts = [each for each in config.layers if is_python(each)]
    documents = tuple(each for each in config.layers if not is_python(each))
    made = _scripted(config, documents, scripts, deferred, below) if scripts else _described(config, deferred, below)
    made.beginning.scenario = tuple(map(_short, config.layers))
    return made


def _without_scenario(config: Config, deferred: DeferredFree) -> Blueprint:
    made = Blueprint.of(config, deferred)
    made.beginning.intuition.issue_api_key(DEFAULT_WALLET, DEFAULT_KEY)
    return made


def _described(config: Config, deferred: DeferredFree, below: Config) -> Blueprint:
    from emulator.scenario.apply import apply
    from emulator.scenario.loader import find

    scenario = find(config.layers).good().scenario
    made = Blueprint.of(config.over(_config_of(scenario)).over(below), deferred)
    if scenario.clock.skew is not None and config.freeze_at is None:
        try:
            made.beginning.clock.run_ahead(scenario.clock.skew)
        except ValueError as error:
            raise Misconfigured(f"clock.skew: {error}") from None
    made.beginning.faults.begun = made.beginning.clock.micros()
    apply(scenario, made.beginning)
    return made


def _config_of(scenario: "Scenario") -> Config:
    """The settings of a scenario that a config has too."""
    return Config(
        seed=scenario.seed,
        freeze_at=scenario.clock.freeze,
        spacetime_profile=scenario.spacetime.profile,
        intuition_profile=scenario.intuition.profile,
    )


def _scripted(
    config: Config, documents: tuple[Source, ...], scripts: list[Source], deferred: DeferredFree, below: Config
) -> Blueprint:
    """Run the functions on a world made of the documents; its state at their end is the start of the scenario."""
    from emulator.control.python_scenario import run

    stage = new_stage(replace(config, scenario=documents), below, deferred)
    emulator = LocalEmulator(_NOWHERE, stage, lambda: None)
    for each in scripts:
        run(each, emulator)
    world = stage.world
    if config.freeze_at is not None:
        world.clock.freeze(config.freeze_at)
    return replace(Blueprint.of(config, deferred), seed=world.seed, beginning=world)


def _short(layer: Source) -> str:
    """A file without its folder."""
    return Path(name_of(layer)).name if isinstance(layer, str | Path) else name_of(layer)
