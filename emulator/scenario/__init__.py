"""Scenario files: located, parsed, checked for all mistakes at once, and applied to a world. No server in here."""
