"""The version of this package."""


def emulator_version() -> str:
    """The version of the installed distribution; 0 when it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("identity-emulator")
    except PackageNotFoundError:
        return "0"
