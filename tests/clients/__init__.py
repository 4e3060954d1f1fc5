"""Real clients, run against the emulator: what they report is what their users see."""
