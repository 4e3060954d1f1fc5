"""What the command `identity-emulator` can do, a module each."""
