"""Where the contents of old worlds go, when they are many."""

from collections import deque
from typing import Any

Container = deque[Any] | dict[Any, Any] | list[Any]


class DeferredFree:
    """Lets go of large containers in slices.

    Freeing is not free: a journal of 10,000 exchanges takes some milliseconds with the interpreter's lock held, and
    neither a reset nor the next request is to pay for it. So whoever owns a container gives it here when nobody holds
    the owner any more, and the server empties it between requests.
    """

    _SMALL = 200
    _ROOM = 32
    """Containers; the oldest is let go of at once when there are more."""

    def __init__(self) -> None:
        self._containers: deque[Container] = deque()
        self._left: deque[object] = deque(maxlen=4)

    def __len__(self) -> int:
        """What is still to be let go of."""
        return len(self._containers) + len(self._left)

    def free_owner_later(self, owner: object) -> None:
        """Take an owner of containers, to be let go of later."""
        self._left.append(owner)

    def free_later(self, *containers: Container) -> None:
        """Take containers that nobody else holds."""
        self._containers.extend(container for container in containers if len(container) > self._SMALL)
        while len(self._containers) > self._ROOM:
            self._containers.popleft()

    def free_some(self, count: int) -> bool:
        """Let go of `count` things, or of one owner; true when there are more."""
        if self._left:
            self._left.popleft()
            return bool(self)
        try:
            container = self._containers[0]
        except IndexError:
            return False
        take = container.popitem if isinstance(container, dict) else container.pop
        for _ in range(min(count, len(container))):
            take()
        if not container:
            self._containers.popleft()
        return bool(self)
