"""Scenario files: found, read, checked with all mistakes at once, and applied to a world. No server in here."""
