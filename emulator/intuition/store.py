"""What Intuition remembers: API keys, users by wallet, identities by three names."""

from threading import RLock

from emulator.clock import Clock, Entropy, rfc3339
from emulator.graveyard import Graveyard
from emulator.intuition.credentials import ApiKey
from emulator.intuition.model import DID_PREFIX, Draft, Identity, NotFound, Profile, User, cid_v0, keccak256


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
        self._graveyard = graveyard

    def __del__(self) -> None:
        self._graveyard.bury(self._identities, self._by_content, self._by_vault, self._users)

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
            self._identities[identity.id] = identity
            self._by_content.setdefault(identity.identity_id, identity.id)
            self._by_vault[identity.vault_id] = identity.id
        return identity

    def find(self, name: str) -> Identity:
        """By `id`, else by `identity_id` (the oldest of equal content), else by `vault_id`. Raises NotFound."""
        row = name if name in self._identities else self._by_content.get(name) or self._by_vault.get(name)
        if row is None:
            raise NotFound(f"no identity has the id, identity_id or vault_id {name!r}; {len(self)} are known")
        return self._identities[row]

    def _user(self, wallet: str, now: str) -> User:
        """The user row of a wallet, made on first use; the page shows its `api_key` blank."""
        user = self._users.get(wallet)
        if user is None:
            user = User(self._entropy.uuid4("intuition.user"), now, now, now, "", wallet, "User")
            self._users[wallet] = user
        return user
