"""Providers that the emulator knows without a request: their key sets are values, published by hand or by `played`."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Literal, NamedTuple, Self

from emulator.services.spacetimedb.issuers.state import Condition, ProviderState, as_bytes, as_text

Keys = Mapping[str, Any] | Sequence[Any] | bytes
"""A key set: the document as a value or as bytes, or the list of its keys."""

MOST = 1000
"""Issuers that can be registered."""
LONGEST_URL = 2000
"""Characters."""
_LONGEST_LIFE = 10**12
"""Seconds."""
_LONGEST = 2**20
"""Bytes of a key set."""

DISCOVERY = "/.well-known/openid-configuration"


def document_of(url: str) -> str:
    """What two spellings of a provider have in common: the server cuts all slashes at the end of `iss`."""
    return url.rstrip("/") + DISCOVERY


class Registry(NamedTuple):
    """What a provider tells of its changes to those who know it."""

    settle: Callable[[], None] = lambda: None
    """Before a change: the server's cache does what was due until now."""
    changed: Callable[[], None] = lambda: None
    takes: Callable[["Provider", dict[str, Any], frozenset[str]], bool] = lambda provider, jwk, beside: True
    """Whether the server takes a new key, which then counts as published with those of these ids."""
    micros: Callable[[], int] = lambda: 0
    """The emulator's clock."""


class Provider:
    """A provider with a URL, the `iss` of its tokens, and a key set."""

    kind: Literal["played", "inline", "fetched"] = "inline"

    def __init__(self, url: str, published: bytes | None = None) -> None:
        self.url = url
        self.number = 0
        """Its place among those that were registered in its world, from 1."""
        self.published = published
        """The key set as it was given; None for one that the provider makes itself."""
        self.condition: Condition = "up"
        self.algorithms: tuple[str, ...] = ("RS256", "ES256")
        """Those that the discovery document names."""
        self._registry = Registry()

    def joins(self, registry: Registry) -> None:
        """It is registered from now on."""
        self._registry = registry

    def fork(self) -> Self:
        """A copy for another world, not registered yet."""
        forked = copy(self)
        forked._registry = Registry()
        return forked

    @property
    def document(self) -> bytes:
        """The key set as it is served."""
        return self.published or b'{"keys":[]}'

    @property
    def document_text(self) -> str:
        """The key set as it is served; bytes that are no UTF-8 are replaced."""
        return self.document.decode("utf-8", "replace")

    @property
    def outline(self) -> bytes:
        """A key set of the same form, which costs no time to make."""
        return self.document

    @property
    def jwks(self) -> Any:
        """The key set as a value. Raises ValueError when what was published is no JSON."""
        return json.loads(self.document)

    def discovery(self, jwks_uri: str | None = None) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery 1.0, 3), with the key set at `jwks_uri`."""
        base = self.url.rstrip("/")
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": jwks_uri or f"{base}/.well-known/jwks.json",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(self.algorithms),
        }

    @staticmethod
    def claims(
        issuer: str, subject: str, audience: str | Sequence[str] | None, issued_at: int, expires_in: float | None
    ) -> dict[str, Any]:
        """As providers write them; times are in seconds. Raises ValueError for a life that no token has."""
        said: dict[str, Any] = {"iss": issuer, "sub": subject, "iat": issued_at}
        if audience is not None:
            said["aud"] = audience if isinstance(audience, str) else list(audience)
        if expires_in is not None:
            if not -_LONGEST_LIFE <= expires_in <= _LONGEST_LIFE:
                raise ValueError(f"expires_in is {expires_in!r}; it is up to {_LONGEST_LIFE} seconds either way")
            said["exp"] = issued_at + round(expires_in)
        return said

    def token(self, claims: Mapping[str, Any], *, first: bool = False) -> str | None:
        """A token of its current or its first key, with these claims. None of a provider without private keys."""
        return None

    def publish(self, keys: Keys) -> None:
        """Serve another key set: the document, or the list of its keys. The server sees it at its next refresh.

        Raises ValueError for what is no JSON, and for more than 1 MiB.
        """
        published = self._published(keys)
        self._change(lambda: setattr(self, "published", published))

    def _published(self, keys: Keys) -> bytes:
        published = keys if isinstance(keys, bytes) else written(keys)
        if len(published) > _LONGEST:
            raise ValueError(f"the key set has {len(published)} bytes; at most {_LONGEST} are allowed")
        return published

    def up(self) -> None:
        """Answer again."""
        self._become("up")

    def down(self) -> None:
        """Be out of reach: the server keeps the keys that it has."""
        self._become("down")

    def hang(self) -> None:
        """Take requests and never answer them. As on the real server, no issuer's keys are refreshed any more."""
        self._become("hanging")

    def _become(self, condition: Condition) -> None:
        self._change(lambda: setattr(self, "condition", condition))

    def _change(self, change: Callable[[], object]) -> None:
        self._registry.settle()
        change()
        self._registry.changed()

    def state(self) -> ProviderState:
        """As a value, for a snapshot's document."""
        published = None if self.published is None else as_text(self.published)
        return ProviderState(url=self.url, n=self.number, kind=self.kind, condition=self.condition, published=published)

    def restore(self, state: ProviderState) -> None:
        """Take over a state of the same kind, before it is registered. Raises ValueError."""
        self.number, self.condition = state.n, state.condition
        self.published = None if state.published is None else as_bytes(state.published)


class FetchedProvider(Provider):
    """A provider that really runs. Only what is asked of it over HTTP is known; `down` and `hang` pretend."""

    kind = "fetched"

    def publish(self, keys: Keys) -> None:
        """Raises ValueError."""
        raise ValueError(f"{self.url} is fetched, so it publishes its own keys")


def with_key(document: bytes, jwk: dict[str, Any]) -> bytes:
    """A document that `written` has made, with one more key."""
    return written([*json.loads(document)["keys"], jwk])


def written(keys: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """The document of a key set, or of a list of keys. Raises ValueError."""
    whole = keys if isinstance(keys, Mapping) else {"keys": list(keys)}
    try:
        return json.dumps(whole, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the key set is no JSON: {error}") from None
