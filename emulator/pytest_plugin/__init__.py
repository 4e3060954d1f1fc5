"""The parts of `conftest_plugin` that are imported only when a test uses an emulator."""
