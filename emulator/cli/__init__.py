"""The command `identity-emulator`, a module for each subcommand. What is served is decided elsewhere."""
