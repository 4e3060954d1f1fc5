"""A world as a JSON document: `GET /_emulator/snapshot` and `--export-on-exit` write it, `PUT` reads it.

Documents can be compared with diff: the order is fixed, rows are as in the APIs, users are named by their wallets.
"""

from emulator.world.snapshot_document.parts import Document
from emulator.world.snapshot_document.reading import read
from emulator.world.snapshot_document.writing import written

__all__ = ["Document", "read", "written"]
