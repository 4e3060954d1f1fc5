"""A world behaves as a simple model of it, in any order of operations, with snapshots and restores."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from emulator.core.clock import rfc3339, to_datetime
from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.core.deferred_free import DeferredFree
from emulator.faults.schedule import RequestFacts
from emulator.services.intuition.listing import SORT_KEYS, Filters, Paging, Sorting
from emulator.services.intuition.refusals import NotFound
from emulator.services.spacetimedb.model import identity_of
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.world.snapshot import Snapshot
from emulator.world.world import World
from tests.conftest import API_KEY
from tests.properties.plain_model import BEGUN, FITTING, REQUESTS, SECOND, Plain, Row, Step
from tests.worlds import handle_of, make_stage, world_of

SUBJECTS = st.sampled_from(["alice", "bob", "carol"])
SHORT = st.sampled_from(["a", "b", "Zoë", ""])
WALLETS = st.sampled_from(["0x1", "0x2"])
CHANGES: Any = st.sampled_from(
    [{"status": 503}, {"rate_limit": {"requests": 1, "seconds": 60}}]
    + [{kind: True} for kind in ("rotate_key", "revoke", "complete", "fail", "remove")]
    + [{"advance": 30}]
)
MOMENTS = st.integers(0, 300)


def begin() -> Plain:
    return Plain(keys={API_KEY: True})


class WorldMachine(RuleBasedStateMachine):
    """Every rule changes both in the same way; afterwards they are equal."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = make_stage(seed=5, freeze_at=to_datetime(BEGUN))
        self.emulator = handle_of(self.stage)
        self.plain = begin()
        self.kept: list[tuple[Snapshot, Plain]] = []
        self.tokens: list[tuple[str, int, int | None]] = []
        """Token, how many rotations its key is from, end in microseconds."""
        self.public_keys: dict[int, bytes] = {}

    @property
    def world(self) -> World:
        return world_of(self.stage)

    # --- SpacetimeDB --------------------------------------------------------------------------------------------------

    @rule(
        subject=SUBJECTS, email=st.none() | st.sampled_from(["A@b.example", "c@d.example"]), databases=st.integers(0, 2)
    )
    def create_an_identity(self, subject: str, email: str | None, databases: int) -> None:
        made = self.emulator.spacetime.create_identity(subject=subject, email=email, databases=databases)

        self.tokens.append((made.token, self.plain.rotations, None))
        if email is not None:
            self.plain.emails[made.identity] = email.lower()
        listed = self.world.spacetime.databases_of(identity_of("localhost", subject))
        if databases:
            self.plain.databases.setdefault(made.identity, []).extend(each.address for each in listed[-databases:])

    @rule(subject=SUBJECTS)
    def add_a_database(self, subject: str) -> None:
        owner = identity_of("localhost", subject)
        self.plain.databases.setdefault(owner, []).append(self.emulator.spacetime.add_database(owner).address)

    @rule(subject=SUBJECTS, seconds=st.none() | st.integers(-100, 100))
    def issue_a_token(self, subject: str, seconds: int | None) -> None:
        token = self.emulator.spacetime.issue_token(subject=subject, expires_in=seconds)
        # Half a second is rounded up, and a token is good for 60 more seconds.
        end = None if seconds is None else (self.plain.now + SECOND // 2) // SECOND + seconds + 60
        self.tokens.append((token, self.plain.rotations, end))

    @rule()
    def rotate_the_key(self) -> None:
        self.emulator.spacetime.rotate_key()
        self.plain.rotations += 1

    @rule()
    def read_tokens(self) -> None:
        """Tokens are valid until they expire or their key is rotated."""
        for token, rotations, end in self.tokens[-8:]:
            now = self.plain.now // SECOND
            good = rotations == self.plain.rotations and (end is None or now <= end)
            assert self.reads(token) == good

    def reads(self, token: str) -> bool:
        try:
            self.world.spacetime.read(token)
        except TokenRefused:
            return False
        return True

    @invariant()
    def the_key_depends_on_how_often_it_was_rotated(self) -> None:
        public = self.world.spacetime.keyring.key.public_pem
        assert self.public_keys.setdefault(self.plain.rotations, public) == public
        assert len(set(self.public_keys.values())) == len(self.public_keys)

    @invariant()
    def emails_and_databases_are_those_set(self) -> None:
        store = self.world.spacetime
        assert store.emails.merged() == self.plain.emails
        assert len(store.emails) == len(self.plain.emails)
        for subject in ("alice", "bob", "carol"):
            owner = identity_of("localhost", subject)
            assert self.emulator.spacetime.email_of(owner) == self.plain.emails.get(owner)
            assert [each.address for each in store.databases_of(owner)] == self.plain.databases.get(owner, [])

    # --- Intuition ----------------------------------------------------------------------------------------------------

    @rule(wallet=WALLETS)
    def issue_an_api_key(self, wallet: str) -> None:
        self.plain.keys[self.emulator.intuition.issue_api_key(wallet)] = True

    @rule(data=st.data())
    def revoke_an_api_key(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(list(self.plain.keys)))
        if self.plain.keys[key]:
            self.emulator.intuition.revoke_api_key(key)
            self.plain.keys[key] = False
        else:
            with pytest.raises(KeyError):
                self.emulator.intuition.revoke_api_key(key)

    @invariant()
    def api_keys_are_those_issued_in_their_order(self) -> None:
        store = self.world.intuition
        assert [issued.key for issued in store.api_keys] == [key for key, good in self.plain.keys.items() if good]
        assert [store.api_key(key) is not None for key in self.plain.keys] == list(self.plain.keys.values())

    @rule(pending=st.booleans(), after=st.none() | st.integers(0, 60))
    def set_the_lifecycle(self, pending: bool, after: int | None) -> None:
        self.emulator.intuition.lifecycle(pending=pending, complete_after=after)
        self.plain.pending, self.plain.complete_after = pending, after if pending else None

    @rule(drafts=st.lists(st.tuples(SHORT, WALLETS, st.none() | SHORT), min_size=1, max_size=4))
    def create_rows(self, drafts: list[tuple[str, str, str | None]]) -> None:
        for draft in drafts:
            self.create_a_row(*draft)

    def create_a_row(self, name: str, creator: str, description: str | None) -> None:
        made = self.emulator.intuition.create_identity(display_name=name, creator=creator, description=description)

        now = self.plain.now
        self.plain.create(Row(made.id, made.identity_id, name, creator, description or "", now, now))
        assert (made.vault_id, made.status) == (self.plain.rows[-1].vault_id, self.plain.rows[-1].status)
        self.plain.settle()

    def drawn_row(self, data: st.DataObject) -> tuple[str, Row]:
        """A name, and the row it means."""
        names = [getattr(row, key) for row in self.plain.rows for key in ("id", "identity_id", "vault_id")]
        name = data.draw(st.sampled_from([name for name in names if name != "0"]))
        row = self.plain.named(name)
        assert row is not None
        return name, row

    @precondition(lambda self: self.plain.rows)
    @rule(data=st.data(), wallet=WALLETS, amount=st.integers(1, 3))
    def add_a_position(self, data: st.DataObject, wallet: str, amount: int) -> None:
        name, row = self.drawn_row(data)
        self.emulator.intuition.add_position(name, wallet, amount)
        self.plain.stake(row, amount)

    @precondition(lambda self: self.plain.rows)
    @rule(data=st.data(), status=st.sampled_from(["complete", "error", "removed"]))
    def move_a_row(self, data: st.DataObject, status: str) -> None:
        name, row = self.drawn_row(data)
        handle = self.emulator.intuition
        {"complete": handle.complete, "error": handle.fail, "removed": handle.remove}[status](name)
        self.plain.move(row, status, self.plain.now)

    @invariant()
    def rows_are_found_by_each_name_and_are_as_in_the_model(self) -> None:
        store = self.world.intuition
        assert len(store) == len(self.emulator.intuition.identities) == len(self.plain.rows)
        assert [row.id for row in store.rows.merged().values()] == [row.id for row in self.plain.rows]
        assert len({row.id for row in self.plain.rows}) == len(self.plain.rows)
        for row in self.plain.rows:
            assert self.told(store.find(row.id)) == row
            for name in (row.identity_id, row.vault_id):
                assert self.found(name) == self.plain.named(name)
        assert self.found(str(self.plain.vaults + 1)) is None

    def found(self, name: str) -> Row | None:
        try:
            return self.told(self.world.intuition.find(name))
        except NotFound:
            return None

    def told(self, row: Any) -> Row:
        """A row of the emulator as the model has it; its sums are those of its positions."""
        stakes = [int(each.assets) for each in self.world.intuition.positions_page(row.id, Paging())["data"]]
        assert (row.num_positions, int(row.assets_sum)) == (len(stakes), sum(stakes))
        assert row.conviction_sum == row.assets_sum
        return Row(
            id=row.id,
            identity_id=row.identity_id,
            display_name=row.display_name,
            creator=row.creator.wallet,
            description=row.description or "",
            created=micros(row.created_at),
            updated=micros(row.updated_at),
            status=row.status,
            vault_id=row.vault_id,
            stakes=stakes,
        )

    @rule(
        key=st.sampled_from(list(SORT_KEYS)), descending=st.booleans(), page=st.integers(1, 2), limit=st.integers(1, 30)
    )
    def list_rows(self, key: str, descending: bool, page: int, limit: int) -> None:
        found = self.world.intuition.page(Paging(page, limit), Sorting(key, descending), Filters())

        expected = self.in_order(key, descending)[(page - 1) * limit : page * limit]
        assert [row.id for row in found["data"]] == expected
        assert found["total"] == len(self.plain.rows)

    def in_order(self, key: str, descending: bool) -> list[str]:
        numbered = [(SORT_VALUE[key](row), number, row.id) for number, row in enumerate(self.plain.rows)]
        return [row_id for _, _, row_id in sorted(numbered, reverse=descending)]

    @rule(status=st.sampled_from(["pending", "complete", "removed", "error"]), creator=st.none() | WALLETS)
    def list_some_rows(self, status: str, creator: str | None) -> None:
        filters = Filters(status, creator)
        found = self.world.intuition.page(Paging(), Sorting("created_at", descending=False), filters)

        by_id = {row.id: row for row in self.plain.rows}
        ordered = [by_id[row_id] for row_id in self.in_order("created_at", descending=False)]
        expected = [row.id for row in ordered if row.status == status and creator in {None, row.creator}]
        assert [row.id for row in found["data"]] == expected

    # --- clock and faults ---------------------------------------------------------------------------------------------

    @rule(seconds=st.integers(-30, 60))
    def move_the_clock(self, seconds: int) -> None:
        self.emulator.clock.advance(seconds)
        self.plain.now += seconds * SECOND
        self.plain.settle()

    @rule(seconds=MOMENTS)
    def stop_the_clock_at(self, seconds: int) -> None:
        self.emulator.clock.freeze(datetime.fromtimestamp(BEGUN // SECOND + seconds, UTC))
        self.plain.now = BEGUN + seconds * SECOND
        self.plain.settle()

    @invariant()
    def the_clock_shows_the_moment(self) -> None:
        assert self.world.clock.micros() == self.plain.now

    @rule(
        request=st.sampled_from(list(FITTING)),
        when=st.fixed_dictionaries({}, optional={"at": MOMENTS, "times": st.integers(1, 3), "skip": st.integers(0, 2)})
        | st.fixed_dictionaries({"nth": st.integers(1, 3)}, optional={"until": st.integers(1, 300)}),
        do=CHANGES,
    )
    def order_a_fault(self, request: str, when: dict[str, Any], do: dict[str, Any]) -> None:
        self.add_step({"request": request, **when}, do)

    @rule(at=MOMENTS, do=CHANGES.filter(lambda do: not do.keys() & {"status", "rate_limit"}))
    def order_a_change(self, at: int, do: dict[str, Any]) -> None:
        self.add_step({"at": at}, do)
        self.plain.settle()

    def add_step(self, given: dict[str, Any], do: dict[str, Any]) -> None:
        fault = self.emulator.faults.add(**given, **do)
        self.plain.steps_added += 1
        self.plain.steps.append(Step(self.plain.steps_added, given, do))
        assert fault.number == self.plain.steps_added

    @precondition(lambda self: self.plain.steps)
    @rule(data=st.data())
    def remove_a_fault(self, data: st.DataObject) -> None:
        step = data.draw(st.sampled_from(self.plain.steps))
        next(fault for fault in self.emulator.faults if fault.number == step.number).remove()
        self.plain.steps.remove(step)

    @rule()
    def remove_all_faults(self) -> None:
        self.emulator.faults.clear()
        self.plain.steps = []

    @precondition(lambda self: self.plain.steps)
    @rule(requests=st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=4), client=st.sampled_from(["one", "two"]))
    def ask(self, requests: list[str], client: str) -> None:
        for request in requests:
            self.ask_once(request, client)

    def ask_once(self, request: str, client: str) -> None:
        method, _, path = request.partition(" ")
        world = self.world
        order = world.faults.decide(RequestFacts(method, (path,), "", client, self.plain.now), world.entropy)
        if order is not None:
            world.change(order.do, self.plain.now)

        expected = self.plain.ask(request, client)
        assert (None if order is None else order.fault.number) == expected
        self.plain.settle()

    @invariant()
    def faults_have_come_as_far_as_in_the_model(self) -> None:
        _ = self.world
        found = [(fault.number, fault.seen, fault.fired) for fault in self.emulator.faults]
        assert found == [(step.number, step.seen, step.fired) for step in self.plain.steps]

    # --- other worlds -------------------------------------------------------------------------------------------------

    @rule()
    def put_aside(self) -> None:
        self.kept.append((self.emulator.snapshot(), deepcopy(self.plain)))

    @rule(twice=st.booleans())
    def go_on_from_a_copy(self, twice: bool) -> None:
        """A copy without references shares its layers with a world that was replaced."""
        for _ in range(1 + twice):
            self.emulator.restore(self.emulator.snapshot())

    @precondition(lambda self: self.kept)
    @rule()
    def go_back(self) -> None:
        """Restore the last snapshot; later operations may be repeated."""
        self.bring_back(*self.kept[-1])

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def go_far_back(self, data: st.DataObject) -> None:
        self.bring_back(*data.draw(st.sampled_from(self.kept)))

    def bring_back(self, snapshot: Snapshot, plain: Plain) -> None:
        self.emulator.restore(snapshot)
        self.plain = deepcopy(plain)
        self.read_tokens()
        for key in SORT_KEYS:
            self.list_all(key)

    def list_all(self, key: str) -> None:
        for descending in (True, False):
            found = self.world.intuition.page(Paging(limit=10**6), Sorting(key, descending), Filters())["data"]
            assert [row.id for row in found] == self.in_order(key, descending)

    @precondition(lambda self: self.kept)
    @rule()
    def forget_a_snapshot(self) -> None:
        del self.kept[0]

    @precondition(lambda self: len(self.plain.rows) > 20)
    @rule()
    def reset(self) -> None:
        self.emulator.reset()
        self.plain = begin()


SORT_VALUE: dict[str, Any] = {
    **{key: lambda row, key=key: getattr(row, key) for key in ("identity_id", "display_name", "creator")},
    **{key: lambda row, key=key: getattr(row, key) for key in ("description", "status")},
    "num_positions": lambda row: len(row.stakes),
    "assets_sum": lambda row: sum(row.stakes),
    "conviction_sum": lambda row: sum(row.stakes),
    "conviction_price": lambda row: 0,
    "created_at": lambda row: row.created,
    "updated_at": lambda row: row.updated,
}


class SmallLayersMachine(WorldMachine):
    """As above, with layers small enough to become many, and old worlds that are freed in slices."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(CopyOnWriteMap, "_SMALL", 3)
        self.patch.setattr(DeferredFree, "_SMALL", 0)
        super().__init__()

    @rule(count=st.integers(1, 5))
    def let_go_of_old_worlds(self, count: int) -> None:
        self.stage.deferred.free_some(count)

    def teardown(self) -> None:
        self.patch.undo()


def micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    found = round(moment.timestamp()) * SECOND + moment.microsecond
    assert rfc3339(found) == text
    return found


QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    # Making a failure small takes minutes; tests/slow does it.
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    max_examples=50,
    stateful_step_count=60,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("machine", [WorldMachine, SmallLayersMachine])
def test_a_world_does_what_a_plain_model_of_it_does(machine: type[WorldMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)
