"""Foreign issuers: registering them, signing their tokens, and what can happen to them (docs/issuers.md)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import msgspec

from emulator.control.api.routes import PREFIX
from emulator.control.judged import judged
from emulator.control.reach import NOWHERE
from emulator.core.arguments import all_checked
from emulator.core.clock import Seconds, to_seconds
from emulator.core.errors import Misconfigured
from emulator.core.suggestions import did_you_mean
from emulator.services.spacetimedb.issuers.state import Condition
from emulator.services.spacetimedb.model import AUDIENCE
from emulator.world.stage import Stage

if TYPE_CHECKING:
    from emulator.services.spacetimedb.issuers.played import PlayedProvider
    from emulator.services.spacetimedb.issuers.providers import Provider
    from emulator.services.spacetimedb.issuers.registry import Issuers as Registry

KeySet = Mapping[str, Any] | Sequence[Any] | bytes | str
"""A key set (JWKS): the document as a value or as text, or the list of its keys."""
Kind = Literal["played", "inline", "fetched"]

_DISCOVERY, _JWKS = "/.well-known/openid-configuration", "/.well-known/jwks.json"


class Issuer(Protocol):
    """A foreign issuer of the world. Operations of one that a reset has removed raise LookupError.

    Wrong arguments raise WrongArgument.
    """

    @property
    def url(self) -> str:
        """The `iss` of its tokens."""

    @property
    def number(self) -> int:
        """Its place among the issuers of its world, from 1."""

    @property
    def kind(self) -> Kind:
        """Whether the emulator plays it, has its keys only, or fetches them from a server that really runs."""

    @property
    def condition(self) -> Condition:
        """`up`, `down` or `hanging`."""

    @property
    def jwks(self) -> Any:
        """The key set that it publishes, as a value. Raises ValueError when it is fetched, and for what is no JSON."""

    @property
    def discovery_url(self) -> str:
        """Where the emulator serves its discovery document, for the app under test and for other verifiers."""

    @property
    def jwks_url(self) -> str:
        """Where the emulator serves its key set."""

    def issue_token(
        self,
        *,
        subject: str,
        audience: str | Sequence[str] | None = AUDIENCE,
        algorithm: str | None = None,
        kid: str | msgspec.UnsetType | None = msgspec.UNSET,
        expires_in: Seconds | None = None,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token of this issuer, signed with its current key of `algorithm`, by default its own.

        `kid` is the id of another key that it has or had; of no key, it is only written in the header; with None the
        header has none. `expires_in` is seconds from now or a timedelta, negative for an expired token; by default the
        token never expires. `headers` are put over the header, where None removes a member: a token can say another
        `alg` than it is signed with. Every other keyword is a claim, put over the standard ones. Raises ValueError for
        an issuer whose private keys are elsewhere.
        """

    def rotate_key(self, *, keep: bool = False) -> None:
        """Sign with new keys from now on. The old ones are withdrawn, or with `keep` published after the new ones."""

    def publish(self, keys: KeySet) -> None:
        """Serve another key set; in a list, a key of its own can be named by its `kid`. Any document will do.

        The server sees it at its next refresh.
        """

    def up(self) -> None:
        """Answer again."""

    def down(self) -> None:
        """Be out of reach. The server keeps the keys that it has fetched."""

    def hang(self) -> None:
        """Take requests and never answer them. No issuer's keys are refreshed any more, as on the real server."""

    def remove(self) -> None:
        """Be no issuer any more; the keys that the server has of it are forgotten too."""


def base_of(url: str, number: int) -> str:
    """Below which address of an emulator the documents of an issuer are."""
    return f"{url}{PREFIX}/issuers/{number}"


def document_urls(base: str) -> tuple[str, str]:
    """The discovery document and the key set."""
    return f"{base}{_DISCOVERY}", f"{base}{_JWKS}"


def key_set(given: KeySet | Path) -> Any:
    """What a user gave as a key set, as a provider takes it. Raises ValueError for a file that can't be read."""
    if isinstance(given, Path):
        try:
            return given.read_bytes()
        except OSError as error:
            raise ValueError(f"jwks: can't read {given}: {error.strerror or error}") from None
    if isinstance(given, str):
        return given.encode()
    return given


@all_checked("issuer.", audience="app", headers={"alg": "RS256"})
class LocalIssuer(Issuer):
    def __init__(self, stage: Stage, url: str, served_at: str) -> None:
        self._stage = stage
        self._url = url
        self._served_at = served_at

    def __repr__(self) -> str:
        return f"<Issuer {self.url}>"

    @property
    def url(self) -> str:
        return self._url

    @property
    def number(self) -> int:
        return self._provider.number

    @property
    def kind(self) -> Kind:
        return self._provider.kind

    @property
    def condition(self) -> Condition:
        return self._provider.condition

    @property
    def jwks(self) -> Any:
        provider = self._provider
        if provider.kind == "fetched":
            raise ValueError(f"{self.url} is fetched; its own server publishes its keys")
        return provider.jwks

    @property
    def discovery_url(self) -> str:
        return self._document_urls[0]

    @property
    def jwks_url(self) -> str:
        return self._document_urls[1]

    @property
    def _document_urls(self) -> tuple[str, str]:
        provider = self._provider
        if provider.kind == "fetched":
            return document_urls(provider.url.rstrip("/"))[0], ""
        return document_urls(base_of(self._served_at, provider.number))

    def issue_token(
        self,
        *,
        subject: str,
        audience: str | Sequence[str] | None = AUDIENCE,
        algorithm: str | None = None,
        kid: str | msgspec.UnsetType | None = msgspec.UNSET,
        expires_in: Seconds | None = None,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        with judged("issuer.issue_token"):
            return self._played("sign its tokens with its own library").issue_token(
                subject=subject,
                audience=audience,
                algorithm=algorithm,
                kid=... if kid is msgspec.UNSET else kid,
                expires_in=None if expires_in is None else to_seconds(expires_in),
                headers=headers,
                **claims,
            )

    def rotate_key(self, *, keep: bool = False) -> None:
        with judged("issuer.rotate_key"):
            self._played("publish() other keys").rotate_key(keep=keep)

    def publish(self, keys: KeySet) -> None:
        with judged("issuer.publish"):
            self._provider.publish(key_set(keys))

    def up(self) -> None:
        self._provider.up()

    def down(self) -> None:
        self._provider.down()

    def hang(self) -> None:
        self._provider.hang()

    def remove(self) -> None:
        self._stage.settled_world().spacetime.issuers.remove(self._provider)

    @property
    def _provider(self) -> "Provider":
        store = self._stage.settled_world().spacetime
        found = store.issuers.find(self._url) if store.has_issuers else None
        if found is None:
            raise LookupError(f"the issuer {self._url} is not registered in this world; a reset removes it")
        return found

    def _played(self, instead: str) -> "PlayedProvider":
        provider = self._provider
        if provider.kind != "played":
            raise ValueError(f"{self._url} is {provider.kind}, so nobody here has its private keys; {instead}")
        return cast("PlayedProvider", provider)


class LocalIssuers(Mapping[str, Issuer]):
    """The issuers of the world by URL, in any spelling that leads the server to them."""

    def __init__(self, stage: Stage, served_at: str) -> None:
        self._stage = stage
        self._served_at = served_at

    def __getitem__(self, url: str) -> Issuer:
        found = self._registry and self._registry.find(url)
        if not found:
            raise KeyError(f"no issuer {url!r}; {did_you_mean(url, list(self))}")
        return LocalIssuer(self._stage, found.url, self._served_at)

    def __iter__(self) -> Iterator[str]:
        return (each.url for each in self._registry or ())

    def __len__(self) -> int:
        return len(self._registry or ())

    @property
    def _registry(self) -> "Registry | None":
        """None while there can't be any."""
        store = self._stage.settled_world().spacetime
        return store.issuers if store.has_issuers else None

    def register(
        self,
        url: str | None,
        *,
        jwks: KeySet | Path | None = None,
        fetch: bool = False,
        algorithm: str | None = None,
        accept_as_server: bool = False,
    ) -> LocalIssuer:
        """Raises ValueError."""
        world = self._stage.settled_world()
        store = world.spacetime
        with world.context.lock:  # so that no other issuer gets the number
            if url is None and self._served_at == NOWHERE:
                raise Misconfigured("where this scenario will be served is not known yet: give the issuer a URL")
            iss = base_of(self._served_at, store.issuers.next_number) if url is None else url
            keys = None if jwks is None else key_set(jwks)
            store.issuers.register(iss, algorithm=algorithm, jwks=keys, fetch=fetch, accept_as_server=accept_as_server)
        return LocalIssuer(self._stage, iss, self._served_at)


def as_json(issuer: Issuer) -> dict[str, Any]:
    return {
        "n": issuer.number,
        "url": issuer.url,
        "kind": issuer.kind,
        "condition": issuer.condition,
        "discovery_url": issuer.discovery_url,
        "jwks_url": issuer.jwks_url,
    }
