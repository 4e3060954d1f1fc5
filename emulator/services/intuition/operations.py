"""The operations of Intuition's REST API."""

from emulator.http.operation import Operation


def _both(suffix: str = "") -> tuple[str, ...]:
    """Both names are on the documentation page, so both are served."""
    return (f"/identity{suffix}", f"/identities{suffix}")


OPERATIONS = (
    Operation("intuition.create_identity", "POST", _both()),
    Operation("intuition.list_identities", "GET", ("/identities",)),
    Operation("intuition.search_identities", "GET", _both("/search")),
    Operation("intuition.get_identity", "GET", _both("/:id")),
    Operation("intuition.list_positions", "GET", _both("/:id/positions")),
)
