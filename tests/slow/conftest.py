"""What the slow checks measure is kept with their reports; `tests.slow.figures` writes it down."""

from collections.abc import Callable

import pytest

Figure = Callable[[str, str], None]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """`figure("requests a second", "1200")`"""

    def keep(name: str, value: str) -> None:
        request.node.user_properties.append((name, value))

    return keep
