"""The version of this package, which pyproject.toml reads here."""

VERSION = "0.2.0"  # a constant: to ask the installed distribution takes 10 ms of each start
