"""Where scenarios are: bundled with the package, or in files of the user's."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.core.suggestions import did_you_mean
from emulator.world.config import Config, Source, is_bundled_name

__tracebackhide__ = is_misconfigured

HERE = (Path(),)
SUFFIX = ".yaml"


@cache
def _folder() -> Path:
    """The bundled scenarios: beside the modules in a wheel, at the top of a repository."""
    package = Path(__file__).parents[1]
    installed = package / "_fixtures" / "scenarios"
    return installed if installed.is_dir() else package.parent / "fixtures" / "scenarios"


def bundled() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in _folder().glob(f"*{SUFFIX}"))


def bundled_text(name: str) -> str:
    """The file of a bundled one. Raises Misconfigured."""
    return bundled_path(name).read_text(encoding="utf-8")


def bundled_path(name: str) -> Path:
    if name not in bundled():
        raise Misconfigured(f"there is no scenario {name!r}; {did_you_mean(name, bundled())}")
    return _folder() / f"{name}{SUFFIX}"


def is_python(given: Source) -> bool:
    """A function, or a file with one."""
    return callable(given) or (isinstance(given, str | Path) and str(given).endswith(".py"))


def located_config(config: Config, folders: Iterable[Path]) -> Config:
    """The same, the files of its scenario looked up in folders. Raises Misconfigured."""
    if not any(isinstance(each, Path) for each in config.layers):
        return config
    folders = tuple(folders)
    return replace(config, scenario=tuple(located(each, folders) for each in config.layers))


def located(given: Source, folders: Iterable[Path]) -> Source:
    """The same, a path looked up from the first folder that has it. Raises Misconfigured."""
    if not isinstance(given, str | Path) or is_bundled_name(given):
        return given
    folders = list(folders)
    for folder in folders:
        if (path := folder / given).is_file():
            return path
    places = " nor ".join(dict.fromkeys(str(folder.absolute()) for folder in folders))
    raise Misconfigured(f"there is no scenario file {given}, not in {places}")
