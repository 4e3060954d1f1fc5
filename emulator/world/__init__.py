"""Worlds: the state of both services, how it is made, replaced, and saved as a snapshot. No HTTP in here."""
