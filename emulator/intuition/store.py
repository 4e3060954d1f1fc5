"""What Intuition remembers: API keys, users by wallet, identities by three names."""

from threading import RLock
from typing import Any

from msgspec import structs

from emulator.clock import Clock, Entropy, rfc3339
from emulator.graveyard import Graveyard
from emulator.intuition.credentials import ApiKey
from emulator.intuition.index import Index
from emulator.intuition.listing import Filters, Paging, Sorting
from emulator.intuition.model import (
    DID_PREFIX,
    Draft,
    Identity,
    NotFound,
    Position,
    Profile,
    Staker,
    User,
    cid_v0,
    keccak256,
)


class Store:
    def __init__(self, profile: Profile, clock: Clock, entropy: Entropy, lock: RLock, graveyard: Graveyard) -> None:
        self.profile = profile
        self.api_keys: dict[str, ApiKey] = {}
        self._clock = clock
        self._entropy = entropy
        self._lock = lock
        self._users: dict[str, User] = {}
        self._identities: dict[str, Identity] = {}
        self._by_content: dict[str, str] = {}
        self._by_vault: dict[str, str] = {}
        self._made: dict[str, int] = {}
        self._indexes: dict[str, Index] = {}
        self._positions: dict[str, list[Position]] = {}
        self._graveyard = graveyard

    def __del__(self) -> None:
        entries = (index.entries for index in self._indexes.values())
        self._graveyard.bury(self._identities, self._by_content, self._by_vault, self._users, self._made, *entries)

    def __len__(self) -> int:
        return len(self._identities)

    def issue_api_key(self, wallet: str, key: str | None = None) -> ApiKey:
        """A key for `wallet`: a fresh UUID, unless it is told which."""
        issued = ApiKey(key or self._entropy.uuid4("intuition.api_key"), wallet)
        self.api_keys[issued.key] = issued
        return issued

    def revoke_api_key(self, key: str) -> None:
        """Raises KeyError when it was never issued."""
        del self.api_keys[key]

    def create(self, draft: Draft) -> Identity:
        """A new row, complete at once. Equal drafts give two rows with one `identity_id`: it is a content address."""
        identity_id = DID_PREFIX + cid_v0(draft.document())
        identity_hash = "0x" + keccak256(identity_id.encode())
        with self._lock:
            now = rfc3339(self._clock.micros())
            identity = Identity(
                id=self._entropy.uuid4("intuition.identity"),
                identity_id=identity_id,
                identity_hash=identity_hash,
                display_name=draft.display_name,
                description=draft.description,
                image=draft.image,
                external_reference=draft.external_reference,
                creator=self._user(draft.creator, now),
                status="complete",
                created_at=now,
                num_positions=0,
                updated_at=now,
                vault_id=str(len(self._by_vault) + 1),
                assets_sum="0",
                conviction_sum="0",
                conviction_price="0",
            )
            self._made[identity.id] = len(self._made)
            self._identities[identity.id] = identity
            for index in self._indexes.values():
                index.add(identity)
            self._by_content.setdefault(identity.identity_id, identity.id)
            self._by_vault[identity.vault_id] = identity.id
        return identity

    def find(self, name: str) -> Identity:
        """By `id`, else by `identity_id` (the oldest of equal content), else by `vault_id`. Raises NotFound."""
        row = name if name in self._identities else self._by_content.get(name) or self._by_vault.get(name)
        if row is None:
            raise NotFound(f"no identity has the id, identity_id or vault_id {name!r}; {len(self)} are known")
        return self._identities[row]

    def page(self, paging: Paging, sorting: Sorting, filters: Filters) -> dict[str, Any]:
        """A page of rows in its envelope. Filters look at every row, sorting at none."""
        with self._lock:
            if sorting.key not in self._indexes:
                self._indexes[sorting.key] = Index(sorting.key, self._identities.values(), self._made)
            ids = self._indexes[sorting.key].ids(descending=sorting.descending)
            rows = (self._identities[each] for each in ids)
            if not filters:
                return paging.envelope(rows, len(self))
            fitting = [row for row in rows if filters.fit(row)]
            return paging.envelope(fitting, len(fitting))

    def add_position(self, name: str, wallet: str, amount: int) -> Position:
        """A stake of `amount` wei in the identity called `name`; its sums grow by it. Raises NotFound, ValueError."""
        if amount <= 0:
            raise ValueError(f"a stake is a positive number of wei, not {amount}")
        with self._lock:
            row = self.find(name)
            position = Position(
                id=self._entropy.uuid4("intuition.position"),
                user=Staker(wallet),
                vault_id=row.vault_id,
                amount_staked=str(amount),
                conviction=str(amount),
                assets=str(amount),
            )
            self._positions.setdefault(row.id, []).append(position)
            self._replace(
                row,
                num_positions=row.num_positions + 1,
                assets_sum=str(int(row.assets_sum) + amount),
                conviction_sum=str(int(row.conviction_sum) + amount),
                updated_at=rfc3339(self._clock.micros()),
            )
        return position

    def positions(self, name: str, paging: Paging) -> dict[str, Any]:
        """A page of the stakes in an identity, in the order they were made. Raises NotFound."""
        with self._lock:
            found = self._positions.get(self.find(name).id, [])
            rows = (structs.replace(position, total=len(found)) for position in found)
            return paging.envelope(rows, len(found))

    def _replace(self, row: Identity, **changes: Any) -> None:
        changed = structs.replace(row, **changes)
        for index in self._indexes.values():
            index.remove(row)
            index.add(changed)
        self._identities[row.id] = changed

    def _user(self, wallet: str, now: str) -> User:
        """The user row of a wallet, made on first use; the page shows its `api_key` blank."""
        user = self._users.get(wallet)
        if user is None:
            user = User(self._entropy.uuid4("intuition.user"), now, now, now, "", wallet, "User")
            self._users[wallet] = user
        return user
