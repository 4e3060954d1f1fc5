"""The whole state of the emulator, in one object that is replaced, never cleared."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from emulator.core.context import Context
from emulator.core.suggestions import did_you_mean
from emulator.faults.kinds import Do, Named
from emulator.faults.schedule import Fault, Faults
from emulator.faults.step import Step, WrongStep
from emulator.journal.journal import Journal
from emulator.services.intuition.api_keys import DEFAULT_KEY
from emulator.services.intuition.operations import OPERATIONS as INTUITION_OPERATIONS
from emulator.services.intuition.refusals import NotFound
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb.operations import operations_of
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.actors import Actor, ActorRegistry
from emulator.world.connections import Connections
from emulator.world.step_check import mistakes_in, why_no_route
from emulator.world.stubs import Stub, StubFunction, Stubs, StubSpec, why_emulated


def _why_no_route(stubs: Stubs, method: str, path: str) -> str:
    return why_no_route(method, path, (stub.request for stub in stubs))


class World:
    """The state of both services: clock, randomness, stores, faults, stubs, actors, journal.

    A request is handled in the world that was current when it arrived.
    """

    def __init__(
        self,
        context: Context,
        *,
        spacetime: SpacetimeStore,
        intuition: IntuitionStore,
        faults: Faults,
        stubs: Stubs,
        actors: ActorRegistry,
        journal: Journal,
        scenario: tuple[str, ...] = (),
    ) -> None:
        self.context = context
        self.clock = context.clock
        self.entropy = context.entropy
        self.spacetime = spacetime
        self.intuition = intuition
        self.faults = faults
        self.stubs = stubs
        self.actors = actors
        self.journal = journal
        self.scenario = scenario
        """The names of its scenarios."""
        self.connections = Connections(context.lock)
        spacetime.on_deletion = self.connections.end_of
        self._tokens: dict[str, str] = {}

    def is_shown(self) -> None:
        """It is the current one from now on: its journal, which may be that of an earlier world, knows its stubs."""
        self.journal.no_route = partial(_why_no_route, self.stubs)

    @property
    def seed(self) -> int:
        return self.entropy.seed

    def fork(self, context: Context, journal: Journal, begun: int | None = None) -> "World":
        """A copy of this world; `begun` (microseconds), if given, is the new zero of its script's times."""
        with self.context.lock:
            return World(
                context,
                spacetime=self.spacetime.fork(context),
                intuition=self.intuition.fork(context, 0 if begun is None else begun - self.faults.begun),
                faults=self.faults.fork(context.lock, begun),
                stubs=self.stubs.fork(context.lock),
                actors=self.actors.fork(),
                journal=journal,
                scenario=self.scenario,
            )

    def add_step(self, step: Step) -> Fault:
        """Raises WrongStep with all mistakes in the step."""
        if wrong := list(mistakes_in(step, self)):
            raise WrongStep(wrong)
        return self.faults.add(step)

    def add_stub(self, spec: StubSpec, function: StubFunction | None = None) -> Stub:
        """Raises ValueError for requests that are emulated."""
        if wrong := why_emulated(spec.request, (*operations_of(self.spacetime.profile), *INTUITION_OPERATIONS)):
            raise ValueError(wrong)
        return self.stubs.add(spec, function)

    # The names that a step can use (`StepNames`).

    @property
    def actor_names(self) -> list[str]:
        return [each.name for each in self.actors]

    @property
    def key_names(self) -> list[str]:
        return [each.name for each in self.actors if each.api_key]

    @property
    def row_names(self) -> Iterable[str]:
        return self.intuition.names.merged()

    @property
    def stubbed_requests(self) -> Iterable[str]:
        return (stub.request for stub in self.stubs)

    suggest = staticmethod(did_you_mean)

    def is_actor(self, name: str) -> bool:
        return self.actors.get(name) is not None

    def is_key(self, name: str) -> bool:
        """Whether it is an API key or its actor's name; revoked keys count too."""
        return bool(self._issued_key(name))

    def is_row(self, name: str) -> bool:
        return bool(self._rows(name))

    def settle(self) -> None:
        """Make all changes that are due by the clock."""
        if not self.faults.timed and not self.intuition.completions:
            return
        with self.context.lock:
            while (step := self.faults.next_due(self.clock.micros())) is not None:
                self.intuition.complete_due(step.due)
                step.fired = 1
                self.change(step.step.do, step.due)
            self.intuition.complete_due(self.clock.micros())

    def change(self, do: Do, micros: int) -> None:
        """Make the changes of a step, at a time in microseconds."""
        with self.context.lock:
            if do.rotate_key:
                self.spacetime.rotate_key()
            for key in self._api_keys(do.revoke):
                self.intuition.revoke_api_key(key)
            for status, named in (("complete", do.complete), ("error", do.fail), ("removed", do.remove)):
                for number in self._rows(named):
                    self.intuition.move(number, status, micros)
        if do.advance is not None:
            with suppress(ValueError, OverflowError):  # the clock stays between the years 1970 and 9999
                self.clock.advance(do.advance)

    def _api_keys(self, named: Named) -> list[str]:
        """The target of `revoke`: all valid keys, or one, given by its actor's name or itself."""
        if not isinstance(named, str):
            return [issued.key for issued in self.intuition.api_keys] if named else []
        key = self._issued_key(named)
        return [key] if self.intuition.api_key(key) else []

    def _issued_key(self, name: str) -> str:
        """An API key, given by its actor's name or itself; empty when it was never issued."""
        actor = self.actors.get(name)
        key = name if actor is None else actor.api_key
        return key if self.intuition.was_issued(key) else ""

    def _rows(self, named: Named) -> list[int]:
        """The target of `complete`, `fail` and `remove`: all pending rows, or one by name; empty without such a row."""
        if not isinstance(named, str):
            return self.intuition.pending() if named else []
        try:
            return [self.row_number(named)]
        except NotFound:
            return []

    @property
    def api_key(self) -> str:
        """The scenario's first valid key, else the default one; empty when that is not valid."""
        keys = [issued.key for issued in self.intuition.api_keys]
        named = (key for key in keys if self.actors.name_of(api_key=key))
        return next(named, DEFAULT_KEY if DEFAULT_KEY in keys else "")

    @property
    def profiles(self) -> dict[str, str]:
        """The profile of each API, by its own name, not an alias."""
        return {"spacetime": self.spacetime.profile.name, "intuition": self.intuition.profile.name}

    def row_number(self, name: str) -> int:
        """The number of the Intuition identity with this name in the scenario, else this id. Raises NotFound."""
        number = self.intuition.names.get(name)
        return self.intuition.number(name) if number is None else number

    def token_of(self, actor: Actor) -> str:
        """An actor's token, issued at the start of the world, signed at the first call."""
        with self.context.lock:
            if actor.name not in self._tokens:
                claims = self.spacetime.claims(
                    actor.issuer, actor.subject, actor.audience, actor.expires_in, actor.claims, at=self.faults.begun
                )
                self._tokens[actor.name] = self.spacetime.keyring.first.mint(claims)
            return self._tokens[actor.name]
