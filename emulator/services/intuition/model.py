"""The data types of Intuition's REST API: identities, users, positions, drafts, lifecycle."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from emulator.services.intuition.content_address import cid_v0

Status = Literal["pending", "complete", "removed", "error"]
STATUSES: tuple[str, ...] = get_args(Status)
NO_VAULT = "0"
"""The `vault_id` of a row that is not on the chain yet."""


class User(msgspec.Struct, frozen=True, gc=False):
    """The creator of an identity, with the seven keys of the documentation page, in its order."""

    id: str
    created_at: str
    updated_at: str
    last_login: str
    api_key: str
    wallet: str
    role: str


class Identity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One row, with keys in the order of the documentation page; keys without a value are left out, never null.

    Times are RFC 3339 with six digits; sums and the price are decimal strings of wei.
    """

    id: str
    identity_id: str
    identity_hash: str
    display_name: str
    description: str | None = None
    image: str | None = None
    external_reference: str | None = None
    creator: User
    status: str
    created_at: str
    num_positions: int
    updated_at: str
    vault_id: str
    assets_sum: str
    conviction_sum: str
    conviction_price: str


class Staker(msgspec.Struct, frozen=True, gc=False):
    wallet: str


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stake in an identity, with keys in the order of the documentation page; amounts are decimal strings of wei."""

    id: str
    user: Staker
    direction: str = "for"
    vault_id: str
    amount_staked: str
    conviction: str
    assets: str
    fee: str = "0"
    delta_assets: str = "0"
    total: int = 1


class Draft(msgspec.Struct, frozen=True):
    """The fields of an identity that a client wants to create."""

    display_name: str
    creator: str
    description: str | None = None
    image: str | None = None
    external_reference: str | None = None

    def document(self) -> bytes:
        """The document to pin to IPFS. Equal drafts give equal bytes; the real service's document is unknown."""
        return msgspec.json.encode(self)

    @property
    def identity_id(self) -> str:
        """The content address of the document."""
        return "did:intuition:ipfs:" + cid_v0(self.document())


class CreateIdentity(msgspec.Struct):
    """Other keys are ignored. `image_url` takes precedence over `image`."""

    creator: str
    display_name: str
    description: str | None = None
    external_reference: str | None = None
    image_url: str | None = None
    image: str | None = None


class Lifecycle(msgspec.Struct, frozen=True):
    """The status of new rows: complete at once, or pending until a test completes them, or for some seconds."""

    pending: bool = False
    complete_after: float | None = None


class Profile(msgspec.Struct, frozen=True):
    name: str


PROFILES: Mapping[str, Profile] = {"documented": Profile("documented")}
