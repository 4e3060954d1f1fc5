"""Operations that work in-process only."""

NOWHERE = "http://not-served.invalid"
"""The URL in the emulator passed to a Python scenario: nothing is served there."""


class OutOfReach(RuntimeError):
    """An operation without a control route. The Protocols raise it; the in-process handle overrides it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"emulator.{name} needs the emulator in this process, not one given by URL; "
            "run the test without --identity-emulator-url"
        )
