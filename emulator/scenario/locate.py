"""Locating scenarios: bundled with the package, or files of the user."""

import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from os import PathLike
from pathlib import Path

from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.core.fake_files import fake_files, real_files
from emulator.core.suggestions import did_you_mean, nearest
from emulator.world.config import Config, Source, is_bundled_name

__tracebackhide__ = is_misconfigured


class CannotRead(Misconfigured):
    """A scenario file that is there, or may be, and can't be read."""

    def __init__(self, file: str | Path, why: object) -> None:
        super().__init__(f"can't read the scenario {file}: {getattr(why, 'strerror', None) or why}")


HERE = (Path(),)
SUFFIX = ".yaml"
_SUFFIXES = frozenset({SUFFIX, ".yml", ".json", ".py"})
_MOST_FILES = 1_000
"""The most names of a folder that are compared with a missing one."""


def files_of(path: Path) -> AbstractContextManager[None]:
    """What to open a scenario in: the bundled ones are real files."""
    return real_files() if path.parent == _folder() else nullcontext()


@cache
def _folder() -> Path:
    """The folder of the bundled scenarios: inside the package in a wheel, at the top in a repository."""
    with real_files():
        package = Path(__file__).parents[1]
        installed = package / "_fixtures" / "scenarios"
        return installed if installed.is_dir() else package.parent / "fixtures" / "scenarios"


def bundled() -> list[str]:
    """The names of the bundled scenarios."""
    with real_files():
        return sorted(path.stem for path in _folder().glob(f"*{SUFFIX}"))


def bundled_text(name: str) -> str:
    """The text of a bundled scenario. Raises Misconfigured."""
    path = bundled_path(name)
    with real_files():
        return path.read_text(encoding="utf-8")


def bundled_path(name: str) -> Path:
    if name not in bundled():
        raise Misconfigured(f"there is no scenario {name!r}; {did_you_mean(name, bundled())}")
    return _folder() / f"{name}{SUFFIX}"


def is_python(given: Source) -> bool:
    """Whether it is a function or a Python file."""
    return callable(given) or (isinstance(given, str | PathLike) and str(given).endswith(".py"))


def located_config(config: Config, folders: Iterable[Path]) -> Config:
    """The config, with its scenario files located in folders. Raises Misconfigured."""
    if not any(isinstance(each, PathLike) for each in config.layers):
        return config
    folders = tuple(folders)
    return replace(config, scenario=tuple(located(each, folders) for each in config.layers))


def located(given: Source, folders: Iterable[Path]) -> Source:
    """A scenario; a path becomes that of the first folder that has the file. Raises Misconfigured."""
    if not isinstance(given, str | PathLike) or is_bundled_name(given):
        return given
    folders = list(folders)
    for folder in folders:
        path = folder / given
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            raise CannotRead(given, error) from None
        if not stat.S_ISDIR(mode):  # a named pipe is a file too
            return path
    try:
        places = " nor ".join(dict.fromkeys(str(folder.absolute()) for folder in folders))
    except OSError:
        raise CannotRead(given, "the working directory is gone") from None
    fake = "" if fake_files() is None else "; pyfakefs's file system is on: load it before, or fs.add_real_file(…)"
    raise Misconfigured(f"there is no scenario file {given}, not in {places}{_meant(Path(given), folders)}{fake}")


def _meant(given: Path, folders: Iterable[Path]) -> str:
    """`; did you mean team.yaml?`, for a scenario file there whose name is similar, or the same but for its suffix."""
    there = {path.stem: path.name for folder in folders for path in _scenario_files((folder / given).parent)}
    near = nearest(given.stem, there)
    return "" if near is None else f"; did you mean {given.with_name(there[near])}?"


def _scenario_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)[:_MOST_FILES]
    except (OSError, ValueError):
        return []
