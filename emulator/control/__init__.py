"""The control routes under `/_emulator`."""
