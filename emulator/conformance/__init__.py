"""Recorded requests, sent to any server, and its responses held against the recorded ones.

`cases` reads the recorded rows, `replay` sends them, `compare` says what differs. Nothing of the emulator is imported.
"""
