"""Where the contents of old worlds go, when they are many."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Graveyard:
    """Lets go of large containers in slices.

    Freeing is not free: a journal of 10,000 exchanges takes some milliseconds with the interpreter's lock held, and
    neither a reset nor the next request is to pay for it. So whoever owns a container gives it here when nobody holds
    the owner any more, and the server empties it while it is idle.
    """

    _SMALL = 200
    _ROOM = 32
    """Containers; the oldest is let go of at once when there are more."""

    def __init__(self) -> None:
        self._containers: deque[deque[Any] | dict[Any, Any]] = deque()
        self.wake: Callable[[], object] | None = None
        """Called when there is work, from any thread; nobody digs while it is None."""

    def bury(self, *containers: deque[Any] | dict[Any, Any]) -> None:
        """Take containers that nobody else holds."""
        large = [container for container in containers if len(container) > self._SMALL]
        if not large or self.wake is None:
            return
        self._containers.extend(large)
        while len(self._containers) > self._ROOM:
            self._containers.popleft()
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self.wake()

    def dig(self, count: int) -> bool:
        """Let go of `count` things; true when there are more."""
        try:
            container = self._containers[0]
        except IndexError:
            return False
        take = container.popitem if isinstance(container, dict) else container.pop
        for _ in range(min(count, len(container))):
            take()
        if not container:
            self._containers.popleft()
        return bool(self._containers)
