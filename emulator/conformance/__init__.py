"""Recorded requests, sent to any server, and its responses held against the recorded ones (docs/conformance.md).

`cases` has the tables, `run` sends them with `replay` and `websockets`, `compare` says what differs, `causes` why in
words, `report` and `documents` show it. Nothing else of the package is imported, so that its mistakes can't be shared.
"""
