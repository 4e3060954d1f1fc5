"""The command `identity-emulator`, with a module for each subcommand."""
