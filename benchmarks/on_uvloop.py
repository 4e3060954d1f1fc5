"""`python -m benchmarks.on_uvloop serve …`: the standalone process on uvloop's event loop, which it does not offer."""

from unittest import mock

import uvloop

from emulator.cli.main import main

if __name__ == "__main__":
    with mock.patch("emulator.commands.serve.new_event_loop", uvloop.new_event_loop):
        main()
