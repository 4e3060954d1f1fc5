"""The parts of `emulator.handle.Emulator`."""
