"""The foreign issuers of a world: who is registered, and the keys that the server has of them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from emulator.core.context import Context
from emulator.http.outgoing import Connect, FetchFailed, Hosts
from emulator.services.spacetimedb.issuers.cache import Cache, Entry, Round
from emulator.services.spacetimedb.issuers.fetch import TIMEOUT, fetch_key_set
from emulator.services.spacetimedb.issuers.jwks import KeySetRefused, read_key_set
from emulator.services.spacetimedb.issuers.key_set import KeySet, NoKeys
from emulator.services.spacetimedb.issuers.providers import (
    LONGEST_URL,
    MOST,
    FetchedProvider,
    Keys,
    Provider,
    Registry,
    document_of,
    with_key,
    written,
)
from emulator.services.spacetimedb.issuers.state import CachedState, IssuersState, ProviderState, as_bytes, as_text
from emulator.services.spacetimedb.releases import Release

_MOST_AT_ONCE = 50
"""Issuers that are fetched at the same time; others wait within their time."""
_Answer = KeySet | NoKeys | None
"""The keys of an issuer; None when a refresh was waited for."""
_PORTS = {"http": ":80", "https": ":443"}


class KeysNeeded(Exception):
    """That a token can't be judged before an issuer has answered, or a refresh is done: await `Issuers.awaited`."""

    def __init__(self, issuer: str, *, refresh: bool = False) -> None:
        super().__init__(issuer)
        self.issuer = issuer
        self.refresh = refresh


class Issuers:
    """Providers by their URL, and the server's cache of their keys.

    Judging is synchronous; what has to be waited for is raised as `KeysNeeded`. Calls come from any thread.
    """

    def __init__(self, rules: Release, context: Context, begun: int, fetched: Hosts) -> None:
        self._rules, self._clock, self._lock = rules, context.clock, context.lock
        self._seed = context.entropy.seed
        self._providers: dict[str, Provider] = {}
        """By what the server asks for: spellings of one URL are one provider."""
        self._latest = 0
        """The number of the provider that was registered last."""
        self.fetched = fetched
        """The hosts whose issuers are fetched without being registered."""
        self.cache = Cache(begun)
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self._under_way: dict[str, _UnderWay] = {}
        self._listeners: tuple[Callable[[], None], ...] = ()

    def fork(self, context: Context, begun: int | None) -> "Issuers":
        """A copy for another world; if it begins anew (microseconds), its cache is empty. The caller holds the lock."""
        copy = Issuers(self._rules, context, self.cache.started if begun is None else begun, self.fetched)
        if begun is None:
            copy.cache = self.cache.fork()
        for provider in self._providers.values():
            copy._add(provider.fork())
        copy._latest = self._latest
        return copy

    # --- providers ----------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Provider]:
        """In the order of registration."""
        return iter(tuple(self._providers.values()))

    def __len__(self) -> int:
        return len(self._providers)

    def find(self, url: str) -> Provider | None:
        """The provider of a URL, in any spelling that leads the server to it."""
        return self._providers.get(place_of(url))

    @property
    def next_number(self) -> int:
        """Of the provider that is registered next."""
        return self._latest + 1

    def numbered(self, number: int) -> Provider | None:
        """The provider that was registered as the nth, from 1."""
        return next((each for each in self if each.number == number), None)

    def remove(self, provider: Provider) -> None:
        """Forget a provider, and the keys that the server has of it."""
        with self._lock:
            self._settle()
            for iss in [iss for iss in self.cache.entries if self.find(iss) is provider]:
                del self.cache.entries[iss]
            self._providers.pop(place_of(provider.url), None)
            provider.joins(Registry())
            self._changed()

    def register(
        self,
        url: str,
        *,
        algorithm: str | None = None,
        jwks: Keys | None = None,
        fetch: bool = False,
        accept_as_server: bool = False,
    ) -> Provider:
        """A provider that the emulator plays; with `jwks` one of these keys, with `fetch` one that really runs.

        A key set that the server would refuse as a whole is refused here too, except with `accept_as_server`. Raises
        ValueError for such a set, for what can't be an issuer, and for one that is there.
        """
        if wrong := self._unusable(url, accept_as_server=accept_as_server):
            raise ValueError(wrong)
        provider = self._new(url, algorithm, jwks, fetch=fetch)
        if not accept_as_server and not fetch:
            try:
                read_key_set(provider.outline, self._rules)
            except KeySetRefused as refused:
                raise ValueError(
                    f"the server (profile {self._rules.name}) refuses the whole key set of {url}: {refused}; "
                    "to test that, register it with `accept_as_server`"
                ) from None
        with self._lock:
            if place_of(url) in self._providers:
                raise ValueError(f"the issuer {self._providers[place_of(url)].url} is registered already")
            self._add(provider)
        return provider

    def _unusable(self, url: str, *, accept_as_server: bool) -> str:
        if not isinstance(url, str) or not 0 < len(url) <= LONGEST_URL:
            return f"an issuer is a URL of 1 to {LONGEST_URL} characters"
        why = why_never_fetched(url, self._rules)
        if why and not accept_as_server:
            return f"{url[:200]!r} can't be an issuer: {why}"
        return f"{MOST} issuers are registered, which is the limit" if len(self) >= MOST else ""

    def _new(self, url: str, algorithm: str | None, jwks: Keys | None, *, fetch: bool) -> Provider:
        if [algorithm is not None, jwks is not None, fetch].count(True) > 1:
            raise ValueError("an issuer has an algorithm, or jwks, or fetch=True: only one of them")
        if fetch:
            return FetchedProvider(url)
        if jwks is not None:
            provider = Provider(url)
            provider.publish(jwks)
            return provider
        from emulator.services.spacetimedb.issuers.played import DEFAULT_ALGORITHM, PlayedProvider

        return PlayedProvider(url, self._seed, algorithm or DEFAULT_ALGORITHM)

    def _add(self, provider: Provider) -> None:
        provider.joins(Registry(self._settle, self._changed, self._takes, self._clock.micros))
        provider.number = provider.number or self.next_number
        self._latest = max(self._latest, provider.number)
        self._providers[place_of(provider.url)] = provider

    def _takes(self, provider: Provider, jwk: dict[str, Any], beside: frozenset[str]) -> bool:
        """Take a new key of a played provider into the sets that the server has of it. False if it refuses the key.

        Only into those with one of the keys `beside` it: others were fetched before these keys were.
        """
        try:
            read_key_set(written([jwk]), self._rules)
        except KeySetRefused:
            return False
        with self._lock:
            for iss, entry in self.cache.entries.items():
                if self.find(iss) is provider and any(each.kid in beside for each in entry.keys.keys):
                    entry.document = with_key(entry.document, jwk)
                    entry.keys = read_key_set(entry.document, self._rules)
        return True

    # --- judging ------------------------------------------------------------------------------------------------------

    def keys_of(self, issuer: str) -> KeySet | NoKeys:
        """The keys that the server has of an issuer now. Raises KeysNeeded."""
        if why := why_never_fetched(issuer, self._rules):
            return NoKeys(why)
        with self._lock:
            self._settle()
            if self.cache.round is not None and self.cache.round.unfetched:
                raise KeysNeeded(issuer, refresh=True)
            found = self.cache.get(issuer)
            if found is not None:
                return found
            provider = self._provider(issuer)
            if provider is None:
                return NoKeys(self._why_unknown(issuer))
            known = _known(provider)
            if known is None:
                raise KeysNeeded(issuer)
            return known if isinstance(known, NoKeys) else self._taken(issuer, known)

    def _provider(self, issuer: str) -> Provider | None:
        found = self.find(issuer)
        if found is None and _is_among(issuer, self.fetched):
            return FetchedProvider(issuer)
        return found

    def _why_unknown(self, issuer: str) -> str:
        known = ", ".join(each.url for each in list(self)[:10]) or "none"
        return f"it is not among the registered issuers ({known}), and --fetch-issuers does not list its host"

    def _taken(self, issuer: str, document: bytes) -> KeySet | NoKeys:
        """The keys of a document, which are cached. As on the real server, a failure is not."""
        try:
            keys = read_key_set(document, self._rules)
        except KeySetRefused as refused:
            return NoKeys(f"the server refuses its whole key set: {refused}")
        self.cache.put(issuer, keys, document)
        return keys

    # --- ticks --------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Have the cache do what was due by the clock. What only a request can answer stays open."""
        with self._lock:
            now = self._clock.micros()
            self.cache.see(now)
            self.cache.expire(now)
            while self.cache.refresh_is_due(now):
                self.cache.round = self._new_round()
                self._finish_round()

    def _new_round(self) -> Round:
        started = Round({}, set(), set())
        for issuer in self.cache.entries:
            provider = self._provider(issuer)
            known = NoKeys("") if provider is None else _known(provider)
            if known is not None:
                started.found[issuer] = known if isinstance(known, bytes) else None
            elif provider is not None and provider.condition == "hanging":
                started.hanging.add(issuer)
            else:
                started.unfetched.add(issuer)
        return started

    def _finish_round(self) -> None:
        """Replace the keys by those that were found, once all have answered. Who failed keeps the old ones."""
        done = self.cache.round
        if done is None or not done.is_complete:
            return
        self.cache.round = None
        for issuer, document in done.found.items():
            entry = self.cache.entries.get(issuer)
            if entry is not None and document is not None:
                with suppress(KeySetRefused):
                    entry.keys, entry.document = read_key_set(document, self._rules), document

    def _changed(self) -> None:
        """A provider has changed: a refresh that waits for it goes on, and so do requests."""
        with self._lock:
            waiting = self.cache.round
            for issuer in sorted(waiting.hanging) if waiting is not None else ():
                provider = self._provider(issuer)
                if waiting is None or (provider is not None and provider.condition == "hanging"):
                    continue
                known = NoKeys("") if provider is None else _known(provider)
                waiting.hanging.discard(issuer)
                if known is None:
                    waiting.unfetched.add(issuer)
                else:
                    waiting.found[issuer] = known if isinstance(known, bytes) else None
            self._finish_round()
        for wake in self._listeners:
            wake()

    # --- waiting ------------------------------------------------------------------------------------------------------

    async def awaited(self, needed: KeysNeeded, connect: Connect, lost: "asyncio.Future[None]") -> KeySet | NoKeys:
        """The keys of an issuer, once it has answered. `lost` is done when the client that waits for them is gone.

        Who asks for the same at the same time shares one answer, a failure too.
        """
        while True:
            if needed.refresh:
                found = await self._shared("", partial(self._fetch_round, connect), lost)
            else:
                found = await self._shared(needed.issuer, partial(self._ask, needed.issuer, connect), lost)
            if found is not None:
                return found
            try:
                return self.keys_of(needed.issuer)
            except KeysNeeded as more:
                needed = more

    async def _shared(
        self, what: str, ask: Callable[[], Coroutine[Any, Any, _Answer]], lost: "asyncio.Future[None]"
    ) -> _Answer:
        asked = self._under_way.get(what)
        if asked is None:
            asked = self._under_way[what] = _UnderWay(asyncio.create_task(ask()))
        asked.waiting += 1
        try:
            await asyncio.wait((asked.answer, lost), return_when=asyncio.FIRST_COMPLETED)
            return asked.answer.result() if asked.answer.done() else NoKeys("the client did not wait for the answer")
        finally:
            asked.waiting -= 1
            if asked.answer.done() or not asked.waiting:
                asked.answer.cancel()
                if self._under_way.get(what) is asked:
                    del self._under_way[what]

    async def _ask(self, issuer: str, connect: Connect) -> KeySet | NoKeys | None:
        provider = self._provider(issuer)
        assert provider is not None
        await self._while_hanging(provider)
        if provider.condition == "hanging":
            return NoKeys("it hangs, and the world was replaced")
        known = _known(provider)
        if known is None:
            known = await self._fetched(provider, issuer, connect)
        if isinstance(known, NoKeys):
            return known
        with self._lock:
            self._settle()
            return self._taken(issuer, known)

    async def _fetched(self, provider: Provider, issuer: str, connect: Connect) -> bytes | NoKeys:
        hosts = self.fetched.with_loopback() if self.find(issuer) is provider else self.fetched
        try:
            async with asyncio.timeout(TIMEOUT), self._slots:
                return await fetch_key_set(issuer, connect, hosts, self._rules)
        except TimeoutError:
            return NoKeys(f"it did not answer within {TIMEOUT:g} s")
        except FetchFailed as failed:
            return NoKeys(str(failed))

    async def _fetch_round(self, connect: Connect) -> None:
        """Fetch what a refresh has to; all requests start together."""
        under_way = self.cache.round
        if under_way is None:
            return
        issuers = sorted(under_way.unfetched)
        found = await asyncio.gather(*(self._refetched(each, connect) for each in issuers))
        with self._lock:
            under_way.found |= dict(zip(issuers, found, strict=True))
            under_way.unfetched.difference_update(issuers)
            self._finish_round()

    async def _refetched(self, issuer: str, connect: Connect) -> bytes | None:
        provider = self._provider(issuer)
        found = None if provider is None else await self._fetched(provider, issuer, connect)
        return found if isinstance(found, bytes) else None

    async def answers(self, provider: Provider, lost: "asyncio.Future[None]") -> bool:
        """Whether a provider can be reached now, once it does not hang. False when the client is gone before."""
        waited = asyncio.create_task(self._while_hanging(provider))
        try:
            await asyncio.wait((waited, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waited.cancel()
        return provider.condition == "up"

    async def _while_hanging(self, provider: Provider) -> None:
        """Wait until a provider answers, or the world was replaced."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(moved.set)

        with self._clock.listening(wake), self._listening(wake):
            while provider.condition == "hanging" and not self._clock.stopped:
                await moved.wait()
                moved.clear()

    @contextmanager
    def _listening(self, wake: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._listeners = (*self._listeners, wake)
        try:
            yield
        finally:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not wake)

    # --- snapshots ----------------------------------------------------------------------------------------------------

    def state(self) -> IssuersState:
        """Everything, as values. The caller holds the lock."""
        self._settle()
        cache = self.cache
        under_way = cache.round or Round({}, set(), set())
        return IssuersState(
            providers=[each.state() for each in self],
            latest=self._latest,
            cached=[
                CachedState(issuer=iss, jwks=as_text(entry.document), marked=entry.marked)
                for iss, entry in cache.entries.items()
            ],
            age=max(self._clock.micros() - cache.started, 0),
            refreshes=cache.refreshes,
            expiries=cache.expiries,
            answered={iss: None if found is None else as_text(found) for iss, found in under_way.found.items()},
            hanging=sorted(under_way.hanging),
            unfetched=sorted(under_way.unfetched),
        )

    def restore(self, state: IssuersState) -> None:
        """Take over a state, in a world that has no issuers yet. Raises ValueError."""
        for each in state.providers:
            if self.find(each.url) is not None or (each.n and self.numbered(each.n)):
                raise ValueError(f"issuers: {each.url} or its number is there twice")
            self._add(self._restored(each))
        self._latest = max(self._latest, state.latest)
        self.cache = cache = Cache(self._clock.micros() - state.age)
        cache.refreshes, cache.expiries = state.refreshes, state.expiries
        for cached in state.cached:
            document = as_bytes(cached.jwks)
            cache.entries[cached.issuer] = Entry(read_key_set(document, self._rules), document, cached.marked)
        if state.hanging or state.unfetched:
            found = {iss: None if text is None else as_bytes(text) for iss, text in state.answered.items()}
            cache.round = Round(found, set(state.hanging), set(state.unfetched))

    def _restored(self, state: ProviderState) -> Provider:
        if wrong := self._unusable(state.url, accept_as_server=True):
            raise ValueError(wrong)
        algorithm = state.algorithms[0] if state.kind == "played" and state.algorithms else None
        jwks = b"" if state.kind == "inline" else None
        provider = self._new(state.url, algorithm, jwks, fetch=state.kind == "fetched")
        provider.restore(state)
        return provider


class _UnderWay:
    """An answer that requests wait for, and how many."""

    def __init__(self, answer: asyncio.Task[_Answer]) -> None:
        self.answer = answer
        self.waiting = 0


def _known(provider: Provider) -> bytes | NoKeys | None:
    """What a provider answers; None when that has to be waited for."""
    if provider.condition == "down":
        return NoKeys(f"{provider.url} is down")
    if provider.condition == "hanging" or provider.kind == "fetched":
        return None
    return provider.document


def why_never_fetched(issuer: str, rules: Release) -> str:
    """Why the server never fetches the keys of an `iss`; empty when it may."""
    scheme = issuer.partition("://")[0] if "://" in issuer else ""
    if rules.issuer_schemes == "any case":
        scheme = scheme.lower()
    return "" if scheme in _PORTS else "the server fetches keys only from URLs that begin with http:// or https://"


def place_of(url: str) -> str:
    """Where the server looks for a provider's documents; the same for all spellings of its URL."""
    document = document_of(url)
    try:
        parts = urlsplit(document)
    except ValueError:
        return document
    host = parts.netloc.lower().removesuffix(_PORTS.get(parts.scheme, " "))
    return parts._replace(netloc=host).geturl()


def _is_among(issuer: str, hosts: Hosts) -> bool:
    """Whether the issuer's host is one of these."""
    try:
        host = urlsplit(issuer).hostname
    except ValueError:
        return False
    return bool(host) and hosts.allow(str(host))
