"""Reading and changing Intuition's state."""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from emulator.control.reach import OutOfReach
from emulator.core.arguments import all_checked, checked, shown, wrong_argument
from emulator.core.clock import Seconds, to_seconds
from emulator.core.errors import is_misconfigured
from emulator.core.words import counted
from emulator.faults.step import LONGEST
from emulator.services.intuition.model import Draft, Identity, Lifecycle, Position
from emulator.services.intuition.refusals import NotFound
from emulator.services.intuition.store import LARGEST_STAKE
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured

_DIGITS = re.compile(r"[0-9]{1,100}")


class Identities(Mapping[str, Identity]):
    """Intuition's identities by name in the scenario, others by `id`. Any of their ids is accepted as a key."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'identity', 'identities')}>"

    def __getitem__(self, name: str) -> Identity:
        world = self._stage.settled_world()
        if not isinstance(name, str):
            raise KeyError(f"expected a name or an id, got {shown(name)}")
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

        It is listed under `/identity/{id}/positions` and added to the identity's sums. Raises WrongArgument for an
        amount that is not positive, `NotFound` for an unknown identity.
        """
        raise OutOfReach("intuition.add_position")

    def lifecycle(self, *, pending: bool = True, complete_after: Seconds | None = None) -> None:
        """From now on new identities are pending, in vault "0".

        `complete_after` seconds later on the emulator's clock, or when `complete` is called, they get the status
        `complete` and the next vault. `lifecycle(pending=False)` makes new ones complete at once, as the page shows.
        """

    @checked("intuition.complete", identity="jp")
    def complete(self, identity: str) -> Identity:
        """Set a pending identity's status to `complete` and give it the next vault. Raises `NotFound`."""
        return self._move(identity, "complete")

    @checked("intuition.fail", identity="jp")
    def fail(self, identity: str) -> Identity:
        """Set its status to `error`. Raises `NotFound`."""
        return self._move(identity, "error")

    @checked("intuition.remove", identity="jp")
    def remove(self, identity: str) -> Identity:
        """Set its status to `removed`; requests still find it. Raises `NotFound`."""
        return self._move(identity, "removed")

    def _move(self, identity: str, status: str) -> Identity: ...


@all_checked("intuition.", identity="jp")
class LocalIntuition(Intuition):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def identities(self) -> Mapping[str, Identity]:
        return Identities(self._stage)

    def issue_api_key(self, wallet: str) -> str:
        return self._stage.settled_world().intuition.issue_api_key(wallet).key

    def revoke_api_key(self, key: str) -> None:
        try:
            self._stage.settled_world().intuition.revoke_api_key(key)
        except KeyError:
            raise KeyError("there is no such API key; issue_api_key makes one") from None

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
        wei = int(amount) if isinstance(amount, int) or _DIGITS.fullmatch(amount) else 0
        if not 0 < wei < LARGEST_STAKE:
            text = f"amount: expected a positive whole number of wei below 10^79, got {shown(amount)}"
            raise wrong_argument("intuition.add_position", text, "amount")
        world = self._stage.settled_world()
        return world.intuition.add_position(world.row_number(identity), wallet, wei)

    def lifecycle(self, *, pending: bool = True, complete_after: Seconds | None = None) -> None:
        after = None if complete_after is None else to_seconds(complete_after)
        if after is not None and not 0 <= after <= LONGEST:
            text = f"complete_after: expected from 0 to {LONGEST:,.0f} seconds, got {shown(complete_after)}"
            raise wrong_argument("intuition.lifecycle", text, "complete_after")
        self._stage.settled_world().intuition.lifecycle = Lifecycle(
            pending, float(after) if pending and after is not None else None
        )

    def _move(self, identity: str, status: str) -> Identity:
        world = self._stage.settled_world()
        return world.intuition.move(world.row_number(identity), status, world.clock.micros())
