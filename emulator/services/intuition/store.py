"""Intuition's stored data: API keys, users by wallet, identities by their ids, positions."""

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from msgspec import structs

from emulator.core.clock import LATEST, rfc3339, to_micros
from emulator.core.context import Context
from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.core.entropy import uuid4_of
from emulator.services.intuition.api_keys import ApiKey
from emulator.services.intuition.content_address import hash_of
from emulator.services.intuition.listing import Filters, Paging, Sorting
from emulator.services.intuition.model import NO_VAULT, Draft, Identity, Lifecycle, Position, Profile, Staker, User
from emulator.services.intuition.refusals import NotFound
from emulator.services.intuition.sorted_rows import Rows

LARGEST_STAKE = 10**79
"""Wei; more than an unsigned integer of 256 bits holds."""


class Store:
    def __init__(self, profile: Profile, context: Context) -> None:
        deferred = context.deferred
        self.profile = profile
        self.cors = False
        """Whether responses have CORS headers; unknown for the real service."""
        self.lifecycle = Lifecycle()
        self.rows = Rows(deferred)
        self.users: CopyOnWriteMap[str, User] = CopyOnWriteMap(deferred)
        self.positions: CopyOnWriteMap[int, tuple[Position, ...]] = CopyOnWriteMap(deferred)
        self.names: CopyOnWriteMap[str, int] = CopyOnWriteMap(deferred)
        """Row numbers by the names in the scenario."""
        self._keys: CopyOnWriteMap[str, ApiKey] = CopyOnWriteMap(deferred)
        self._by_id: CopyOnWriteMap[str, int] = CopyOnWriteMap(deferred)
        self._by_content: CopyOnWriteMap[str, int] = CopyOnWriteMap(deferred)
        self._by_vault: CopyOnWriteMap[str, int] = CopyOnWriteMap(deferred)
        self.completions: list[tuple[int, int]] = []
        """A heap of (time in microseconds, number) of pending rows that will become complete."""
        self._clock, self._entropy, self._lock = context.clock, context.entropy, context.lock
        self._made = context.made

    def fork(self, context: Context, later: int = 0) -> "Store":
        """A copy of the store; the caller holds the lock. Pending completions move `later` microseconds."""
        copy = Store(self.profile, context)
        copy.cors, copy.lifecycle = self.cors, self.lifecycle
        copy.completions = [(due + later, number) for due, number in self.completions]
        copy.rows, copy.users, copy.positions = self.rows.fork(), self.users.fork(), self.positions.fork()
        copy.names, copy._keys, copy._by_id = self.names.fork(), self._keys.fork(), self._by_id.fork()
        copy._by_content, copy._by_vault = self._by_content.fork(), self._by_vault.fork()
        return copy

    def __len__(self) -> int:
        return len(self.rows)

    # --- API keys -----------------------------------------------------------------------------------------------------

    @property
    def api_keys(self) -> list[ApiKey]:
        """The valid keys, in the order they were issued."""
        return [issued for issued in self.issued_keys if not issued.revoked]

    @property
    def issued_keys(self) -> list[ApiKey]:
        """All keys, also revoked ones."""
        return list(self._keys.merged().values())

    def api_key(self, key: str) -> ApiKey | None:
        """The key with this text, if it is valid."""
        issued = self._keys.get(key)
        return None if issued is None or issued.revoked else issued

    def was_issued(self, key: str) -> bool:
        """Whether a key is valid, or was until it was revoked."""
        return key in self._keys

    def issue_api_key(self, wallet: str, key: str | None = None) -> ApiKey:
        """Issue a key for `wallet`: `key`, else a new UUID."""
        issued = ApiKey(key or self._entropy.uuid4("intuition.api_key"), wallet)
        self.put_api_key(issued)
        if key is None:
            self._made.append(issued.key)
        return issued

    def is_of_an_earlier_world(self, name: str) -> bool:
        """Whether a call made this id or this key, and a reset has dropped it since."""
        return name in self._made and name not in self._by_id and name not in self._keys

    def put_api_key(self, key: ApiKey) -> None:
        with self._lock:
            self._keys[key.key] = key

    def revoke_api_key(self, key: str) -> None:
        """Raises KeyError when there is no such valid key."""
        with self._lock:
            issued = self.api_key(key)
            if issued is None:
                raise KeyError(key)
            self._keys[key] = structs.replace(issued, revoked=True)

    # --- identities ---------------------------------------------------------------------------------------------------

    def create(self, draft: Draft) -> Identity:
        """A new row, complete at once unless the lifecycle says otherwise.

        Equal drafts give two rows with one `identity_id`: it is a content address.
        """
        identity_id = draft.identity_id
        identity_hash = hash_of(identity_id)
        with self._lock:
            micros = self._clock.micros()
            now = rfc3339(micros)
            row_id = self._entropy.uuid4("intuition.identity")
            creator = self._user(draft.creator, now)
            pending = self.lifecycle.pending
            status, vault = ("pending", NO_VAULT) if pending else ("complete", self._next_vault())
            row = _row(draft, row_id, identity_id, identity_hash, creator, status=status, vault=vault, now=now)
            number = self.put(len(self.rows), row)
            if pending:
                self._complete_later([number], micros)
        self._made.append(row_id)
        self._made.append(identity_id)
        return row

    def populate(self, newcomers: Iterable[tuple[str, Draft, str]], micros: int) -> None:
        """Add the rows of a scenario: name, draft and status of each.

        Their ids are derived from their names; all have the same time of creation (microseconds).
        """
        with self._lock:
            now = rfc3339(micros)
            rows: dict[int, Identity] = {}
            names, ids, contents, vaults = (dict[str, int]() for _ in range(4))
            used = len(self._by_vault) + 1
            for number, (name, draft, status) in enumerate(newcomers, len(self.rows)):
                row_id = uuid4_of(self._entropy.named("intuition.identity", name))
                creator = self._user(draft.creator, now)
                vault = NO_VAULT if status in _OFF_CHAIN else str(used + len(vaults))
                row = _row(draft, row_id, draft.identity_id, "", creator, status=status, vault=vault, now=now)
                rows[number], names[name], ids[row_id] = row, number, number
                if row.vault_id != NO_VAULT:
                    vaults[row.vault_id] = number
                if row.identity_id not in self._by_content:
                    contents.setdefault(row.identity_id, number)
            self.rows.adopt(rows)
            self.names.adopt(names)
            self._by_id.adopt(ids)
            self._by_content.adopt(contents)
            self._by_vault.adopt(vaults)
            self._complete_later([number for number, row in rows.items() if row.status == "pending"], micros)

    def _complete_later(self, numbers: Iterable[int], micros: int) -> None:
        """Schedule the completion, if the lifecycle has one."""
        if self.lifecycle.complete_after is not None:
            due = micros + round(self.lifecycle.complete_after * 1_000_000)
            for number in numbers:
                self.complete_at(due, number)

    def put(self, number: int, row: Identity) -> int:
        """Add or replace a row, and index its ids; the caller holds the lock."""
        self.rows[number] = row
        self._by_id[row.id] = number
        if row.identity_id not in self._by_content:
            self._by_content[row.identity_id] = number
        if row.vault_id != NO_VAULT:
            self._by_vault[row.vault_id] = number
        return number

    def _next_vault(self) -> str:
        number = len(self._by_vault) + 1
        while str(number) in self._by_vault:  # in a world from a document that somebody changed
            number += 1
        return str(number)

    def has_vault(self, vault: str) -> bool:
        return vault in self._by_vault

    def has_id(self, row_id: str) -> bool:
        return row_id in self._by_id

    def number(self, name: str) -> int:
        """The number of the row with this `id`, else `identity_id` (the oldest such row), else `vault_id`.

        Raises NotFound.
        """
        for names in (self._by_id, self._by_content, self._by_vault):
            if (number := names.get(name)) is not None:
                return number
        if self.is_of_an_earlier_world(name):
            raise NotFound(f"{name!r} was made before the last reset; put it into the config's scenario")
        raise NotFound(f"no identity has the id, identity_id or vault_id {name!r}; there are {len(self)}")

    def find(self, name: str) -> Identity:
        """The row with this id, as in `number`. Raises NotFound."""
        return self.rows[self.number(name)]

    def page(self, paging: Paging, sorting: Sorting, filters: Filters) -> dict[str, Any]:
        """A page of rows in its envelope. Filters read every row, sorting uses an index."""
        with self._lock:
            rows = self.rows.ordered(sorting.key, descending=sorting.descending)
            if not filters:
                return self._shown(paging.envelope(rows, len(self)))
            matching = [row for row in rows if filters.match(row)]
            return self._shown(paging.envelope(matching, len(matching)))

    def _shown(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """The envelope with the hash of every row on the page."""
        return envelope | {"data": [row if row.identity_hash else self.find(row.id) for row in envelope["data"]]}

    # --- lifecycle and positions --------------------------------------------------------------------------------------

    def move(self, number: int, status: str, micros: int) -> Identity:
        """Set a row's status, if it has another. A completed row without a vault gets the next one."""
        with self._lock:
            row = self.rows[number]
            if row.status == status:
                return row
            changes: dict[str, Any] = {"status": status, "updated_at": rfc3339(micros)}
            if status == "complete" and row.vault_id == NO_VAULT:
                changes["vault_id"] = self._next_vault()
            self.put(number, structs.replace(row, **changes))
            return self.rows[number]

    def pending(self) -> list[int]:
        """The numbers of all pending rows."""
        return [number for number, row in self.rows.unhashed().items() if row.status == "pending"]

    def complete_at(self, micros: int, number: int) -> None:
        """Schedule the completion of a pending row, for a time in microseconds of the clock."""
        heappush(self.completions, (min(micros, to_micros(LATEST)), number))

    def complete_due(self, now: int) -> None:
        """Complete the rows that are due at `now` (microseconds), each with its own time."""
        while self.completions and self.completions[0][0] <= now:
            due, number = heappop(self.completions)
            if self.rows[number].status == "pending":
                self.move(number, "complete", due)

    def add_position(self, number: int, wallet: str, amount: int, position_id: str | None = None) -> Position:
        """Add a stake of `amount` wei to a row and its sums, with a new id unless given. Raises ValueError."""
        if not 0 < amount < LARGEST_STAKE:
            raise ValueError(f"a stake is a positive number of wei below 10^79, not {str(amount)[:60]}")
        with self._lock:
            row = self.rows[number]
            position = Position(
                id=position_id or self._entropy.uuid4("intuition.position"),
                user=Staker(wallet),
                vault_id=row.vault_id,
                amount_staked=str(amount),
                conviction=str(amount),
                assets=str(amount),
            )
            self.positions[number] = (*(self.positions.get(number) or ()), position)
            self.rows[number] = structs.replace(
                row,
                num_positions=row.num_positions + 1,
                assets_sum=str(int(row.assets_sum) + amount),
                conviction_sum=str(int(row.conviction_sum) + amount),
                updated_at=rfc3339(self._clock.micros()),
            )
        return position

    def positions_page(self, name: str, paging: Paging) -> dict[str, Any]:
        """A page of the stakes in an identity, in order of creation. Raises NotFound."""
        with self._lock:
            found = self.positions.get(self.number(name)) or ()
            rows = (structs.replace(position, total=len(found)) for position in found)
            return paging.envelope(rows, len(found))

    def _user(self, wallet: str, now: str) -> User:
        """The user row of a wallet, created on first use. Its `api_key` is empty, as on the page."""
        user = self.users.get(wallet)
        if user is None:
            user = User(uuid4_of(self._entropy.named("intuition.user", wallet)), now, now, now, "", wallet, "User")
            self.users[wallet] = user
        return user


_OFF_CHAIN = frozenset({"pending", "error"})


def _row(
    draft: Draft, row_id: str, identity_id: str, identity_hash: str, creator: User, *, status: str, vault: str, now: str
) -> Identity:
    return Identity(
        id=row_id,
        identity_id=identity_id,
        identity_hash=identity_hash,
        display_name=draft.display_name,
        description=draft.description,
        image=draft.image,
        external_reference=draft.external_reference,
        creator=creator,
        status=status,
        created_at=now,
        num_positions=0,
        updated_at=now,
        vault_id=vault,
        assets_sum="0",
        conviction_sum="0",
        conviction_price="0",
    )
