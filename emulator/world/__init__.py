"""Worlds: one state of both services, how it begins, is replaced, put aside and written down. No HTTP in here."""
