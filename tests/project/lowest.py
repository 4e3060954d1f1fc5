"""Prints the lower bounds of pyproject.toml as pins, for `pip install -c`."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [bound for extra in project["optional-dependencies"].values() for bound in extra]

for bound in dict.fromkeys([*project["dependencies"], *extras]):
    print(re.sub(">=", "==", bound))
