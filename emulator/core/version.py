"""Which emulator this is."""


def emulator_version() -> str:
    """Of the installed distribution; 0 when it was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("identity-emulator")
    except PackageNotFoundError:
        return "0"
