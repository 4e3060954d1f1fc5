"""Reading and changing Intuition's state."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from emulator.control.reach import OutOfReach
from emulator.faults.step import LONGEST
from emulator.services.intuition.model import Draft, Identity, Lifecycle, Position
from emulator.services.intuition.refusals import NotFound
from emulator.world.stage import Stage


class Identities(Mapping[str, Identity]):
    """Intuition's identities by name in the scenario, others by `id`. Any of their ids is accepted as a key."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __getitem__(self, name: str) -> Identity:
        world = self._stage.settled_world()
        try:
            return world.intuition.rows[world.row_number(name)]
        except NotFound as error:
            raise KeyError(f"{error.why}; the scenario names {', '.join(self._names().values()) or 'none'}") from None

    def __iter__(self) -> Iterator[str]:
        names = self._names()
        rows = self._stage.settled_world().intuition.rows.unhashed()
        return iter([names.get(number, row.id) for number, row in rows.items()])

    def __len__(self) -> int:
        return len(self._stage.settled_world().intuition)

    def _names(self) -> dict[int, str]:
        return {number: name for name, number in self._stage.settled_world().intuition.names.merged().items()}


class Intuition(Protocol):
    """Intuition's state in the world."""

    @property
    def identities(self) -> Mapping[str, Identity]:
        """`identities["jp"]`: the current state of an identity, by its name in the scenario or any of its ids."""
        raise OutOfReach("intuition.identities")

    def issue_api_key(self, wallet: str) -> str:
        """A new API key for a wallet; the key is a UUID."""

    def revoke_api_key(self, key: str) -> None:
        """Requests with this key get 401 from now on. Raises KeyError for an unknown key."""

    def create_identity(
        self,
        *,
        display_name: str,
        creator: str,
        description: str | None = None,
        image: str | None = None,
        external_reference: str | None = None,
    ) -> Identity:
        """A new identity, as `POST /identity` creates it."""
        raise OutOfReach("intuition.create_identity")

    def add_position(self, identity: str, wallet: str, amount: int | str) -> Position:
        """Add a stake of `amount` wei to an identity, given by its name in the scenario or any of its ids.

        It is listed under `/identity/{id}/positions` and added to the identity's sums. Raises ValueError for an amount
        that is not positive, `NotFound` for an unknown identity.
        """
        raise OutOfReach("intuition.add_position")

    def lifecycle(self, *, pending: bool = True, complete_after: float | None = None) -> None:
        """From now on new identities are pending, in vault "0".

        `complete_after` seconds later on the emulator's clock, or when `complete` is called, they get the status
        `complete` and the next vault. `lifecycle(pending=False)` makes new ones complete at once, as the page shows.
        """

    def complete(self, identity: str) -> Identity:
        """Set a pending identity's status to `complete` and give it the next vault. Raises `NotFound`."""
        return self._move(identity, "complete")

    def fail(self, identity: str) -> Identity:
        """Set its status to `error`. Raises `NotFound`."""
        return self._move(identity, "error")

    def remove(self, identity: str) -> Identity:
        """Set its status to `removed`; requests still find it. Raises `NotFound`."""
        return self._move(identity, "removed")

    def _move(self, identity: str, status: str) -> Identity: ...


class LocalIntuition(Intuition):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def identities(self) -> Mapping[str, Identity]:
        return Identities(self._stage)

    def issue_api_key(self, wallet: str) -> str:
        return self._stage.settled_world().intuition.issue_api_key(wallet).key

    def revoke_api_key(self, key: str) -> None:
        self._stage.settled_world().intuition.revoke_api_key(key)

    def create_identity(
        self,
        *,
        display_name: str,
        creator: str,
        description: str | None = None,
        image: str | None = None,
        external_reference: str | None = None,
    ) -> Identity:
        return self._stage.settled_world().intuition.create(
            Draft(display_name, creator, description, image, external_reference)
        )

    def add_position(self, identity: str, wallet: str, amount: int | str) -> Position:
        if not str(amount).isdecimal():
            raise ValueError(f"amount is {amount!r}; a stake is a whole positive number of wei")
        world = self._stage.settled_world()
        return world.intuition.add_position(world.row_number(identity), wallet, int(amount))

    def lifecycle(self, *, pending: bool = True, complete_after: float | None = None) -> None:
        if complete_after is not None and not 0 <= complete_after <= LONGEST:
            raise ValueError(f"complete_after is {complete_after}; it must be from 0 to {LONGEST:,.0f} seconds")
        self._stage.settled_world().intuition.lifecycle = Lifecycle(
            pending, float(complete_after) if pending and complete_after is not None else None
        )

    def _move(self, identity: str, status: str) -> Identity:
        world = self._stage.settled_world()
        return world.intuition.move(world.row_number(identity), status, world.clock.micros())
