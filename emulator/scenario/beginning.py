"""The world that a config with a scenario begins with."""

from dataclasses import replace
from pathlib import Path

from emulator.clock import parse_rfc3339
from emulator.config import Config
from emulator.errors import told
from emulator.graveyard import Graveyard
from emulator.handle import Emulator
from emulator.scenario import finding
from emulator.scenario.applying import apply
from emulator.scenario.model import Scenario
from emulator.scenario.python import run
from emulator.scenario.source import Source, name_of, sources
from emulator.stage import Stage
from emulator.world import Blueprint

__tracebackhide__ = told

_NOWHERE = "http://not-served.invalid"
"""Where the emulator listens that a Python scenario gets."""


def blueprint(config: Config, graveyard: Graveyard, below: Config) -> Blueprint:
    """Raises Misconfigured with all that is wrong."""
    layers = sources(config.scenario)
    scripts = [each for each in layers if finding.is_python(each)]
    documents = tuple(each for each in layers if not finding.is_python(each))
    made = _scripted(config, documents, scripts, graveyard, below) if scripts else _described(config, graveyard, below)
    made.beginning.scenario = tuple(map(_short, layers))
    return made


def _described(config: Config, graveyard: Graveyard, below: Config) -> Blueprint:
    scenario = finding.find(sources(config.scenario)).good().scenario
    full = config.over(_config_of(scenario)).over(below)
    made = Blueprint.bare(full, graveyard)
    if scenario.clock.skew is not None and config.freeze_at is None:
        made.beginning.clock.skew(scenario.clock.skew)
    made.beginning.faults.begun = made.beginning.clock.micros()
    apply(scenario, made.beginning)
    return made


def _config_of(scenario: Scenario) -> Config:
    """What a scenario says that a config can say too."""
    return Config(
        seed=scenario.seed,
        freeze_at=None if scenario.clock.freeze is None else parse_rfc3339(scenario.clock.freeze),
        spacetime_profile=scenario.spacetime.profile,
        intuition_profile=scenario.intuition.profile,
    )


def _scripted(
    config: Config, documents: tuple[Source, ...], scripts: list[Source], graveyard: Graveyard, below: Config
) -> Blueprint:
    """Functions work on a world of their own, made of the documents; as they leave it, it is the beginning."""
    stage = Stage(replace(config, scenario=documents), below, graveyard)
    emulator = Emulator(_NOWHERE, stage, lambda: None)
    for each in scripts:
        run(each, emulator)
    world = stage.unsettled
    if config.freeze_at is not None:
        world.clock.freeze(config.freeze_at)
    return Blueprint(world.seed, Blueprint.bare(replace(config, scenario=()), graveyard).journal_size, world)


def _short(layer: Source) -> str:
    """A file without its folder."""
    return Path(name_of(layer)).name if isinstance(layer, str | Path) else name_of(layer)
