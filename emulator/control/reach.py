"""What an emulator elsewhere can't be asked for."""


class OutOfReach(RuntimeError):
    """There is no control route for it. Protocols raise it where only the handle in this process has an answer."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"emulator.{name} needs the emulator in this process; it can't be reached by its URL. "
            "Run the test without --identity-emulator-url"
        )
