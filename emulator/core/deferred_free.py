"""Large containers of old worlds, freed in small steps."""

from collections import deque
from typing import Any

Container = deque[Any] | dict[Any, Any] | list[Any]


class DeferredFree:
    """Frees large containers in slices.

    To free a journal of 10,000 exchanges takes some milliseconds with the interpreter's lock held, which should delay
    neither a reset nor the next request. So an owner's `__del__` puts its containers here, and the server empties them
    between requests.
    """

    _SMALL = 200
    _ROOM = 32
    """Containers; when there are more, the oldest is freed at once."""

    def __init__(self) -> None:
        self._containers: deque[Container] = deque()
        self._owners: deque[object] = deque(maxlen=4)

    def __len__(self) -> int:
        """How many containers and owners are still to be freed."""
        return len(self._containers) + len(self._owners)

    def free_owner_later(self, owner: object) -> None:
        """Keep an owner of containers, to be freed later."""
        self._owners.append(owner)

    def free_later(self, *containers: Container) -> None:
        """Keep containers to which there is no other reference."""
        self._containers.extend(container for container in containers if len(container) > self._SMALL)
        while len(self._containers) > self._ROOM:
            self._containers.popleft()

    def free_some(self, count: int) -> bool:
        """Free `count` entries, or one owner; true when there are more."""
        if self._owners:
            self._owners.popleft()
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
