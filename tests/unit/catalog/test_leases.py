"""A budget is never lent out beyond its limit: any order, loss, repetition and death."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from stockpot.catalog.leases import Lease, answer, crossed, settled


@dataclass
class Worker:
    """A worker as it may behave: it spends at most what it holds, and answers may be lost."""

    name: str
    allowed: int = 0
    spent: int = 0
    unreported: int = 0
    sequence: int = 0
    pending: Lease | None = None
    alive: bool = True
    delayed: list[Lease] = field(default_factory=list)

    def ask(self, want: int) -> Lease:
        """The next report, or the same one again until it is answered."""
        if self.pending is None:
            self.sequence += 1
            self.allowed = min(self.allowed, want)
            self.pending = Lease(held=want, sequence=self.sequence, reported=self.unreported)
        self.delayed.append(self.pending)
        return self.pending

    def hear(self, held: int) -> None:
        """An answer came: what was reported is off the books, `held` counts from the report on."""
        assert self.pending is not None
        since = self.unreported - self.pending.reported
        self.unreported = since
        self.allowed = held - since
        self.pending = None


class Lending(RuleBasedStateMachine):
    """The lender's state is two numbers and a table, as the store keeps them."""

    workers = Bundle("workers")

    @initialize(limit=st.integers(1, 10**10))
    def open(self, limit: int) -> None:
        self.limit = limit
        self.spent = 0
        self.leases: dict[str, Lease] = {}
        self.all: list[Worker] = []

    @rule(target=workers)
    def start(self) -> Worker:
        worker = Worker(f"w{len(self.all)}")
        self.all.append(worker)
        return worker

    @rule(worker=workers, part=st.floats(0, 1))
    def spend(self, worker: Worker, part: float) -> None:
        amount = int(worker.allowed * part)
        if worker.alive and amount > 0:
            worker.allowed -= amount
            worker.spent += amount
            worker.unreported += amount

    @rule(worker=workers, want=st.integers(0, 10**10), heard=st.booleans(), late=st.floats(0, 1))
    def report(self, worker: Worker, want: int, heard: bool, late: float) -> None:
        if worker.alive:
            held = self._lend(worker.name, worker.ask(want))
            self.spend(worker, late)  # calls go on while the answer travels
            if heard:
                worker.hear(held)

    @rule(worker=workers, which=st.integers(0, 1000))
    def repeat_an_old_report(self, worker: Worker, which: int) -> None:
        if worker.delayed and worker.name in self.leases:
            self._lend(worker.name, worker.delayed[which % len(worker.delayed)])

    @rule(worker=workers)
    def die(self, worker: Worker) -> None:
        worker.alive = False

    @rule(worker=workers)
    def reclaim(self, worker: Worker) -> None:
        lease = self.leases.pop(worker.name, None) if not worker.alive else None
        if lease is not None:
            worker.delayed.clear()  # the dead send nothing any more
            self.spent = settled(self.spent, lease, self.truly_spent)

    def _lend(self, name: str, ask: Lease) -> int:
        others = sum(lease.held for other, lease in self.leases.items() if other != name)
        mine = self.leases.get(name, Lease())
        self.spent, self.leases[name] = answer(self.limit, self.spent, others, mine, ask)
        return self.leases[name].held

    @property
    def truly_spent(self) -> int:
        return sum(worker.spent for worker in self.all)

    @invariant()
    def the_limit_is_kept(self) -> None:
        if hasattr(self, "limit"):
            assert self.truly_spent <= self.limit
            assert self.spent + sum(lease.held for lease in self.leases.values()) <= self.limit


Lending.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLending = Lending.TestCase


@given(
    limit=st.integers(10**6, 10**12),
    wants=st.lists(st.integers(1, 10**6), min_size=1, max_size=50),
)
def test_a_single_worker_can_spend_everything_in_the_end(limit: int, wants: list[int]) -> None:
    lease, spent = Lease(), 0
    for sequence in range(2000):
        want = max(wants[sequence % len(wants)], limit // 100)
        ask = Lease(held=want, sequence=sequence, reported=lease.held)
        spent, lease = answer(limit, spent, 0, lease, ask)
        if spent == limit:
            return
    raise AssertionError(f"{limit - spent} of {limit} could not be spent")


def test_a_repeated_report_counts_what_it_tells_once() -> None:
    first = answer(1000, 0, 0, Lease(), Lease(held=100, sequence=1, reported=0))
    told = Lease(held=100, sequence=2, reported=30)
    once = answer(1000, first.spent, 0, first.lease, told)
    again = answer(1000, once.spent, 0, once.lease, told)
    more = answer(1000, again.spent, 0, again.lease, told._replace(reported=35))
    assert (once.spent, again.spent, more.spent) == (30, 30, 35)
    assert again.lease.held == once.lease.held == more.lease.held + 5


def test_an_older_report_changes_nothing() -> None:
    lease = Lease(held=50, sequence=7, reported=3)
    assert answer(1000, 40, 0, lease, Lease(held=900, sequence=6, reported=99)) == (40, lease)


def test_a_worker_that_wants_nothing_gives_all_back() -> None:
    lease = Lease(held=50, sequence=1)
    assert answer(1000, 0, 0, lease, Lease(held=0, sequence=2)).lease.held == 0


def test_what_the_dead_may_have_spent_is_counted_and_not_what_the_living_will_report() -> None:
    lease = Lease(held=10, sequence=3)
    assert settled(100, lease, None) == 110
    assert settled(100, lease, 104) == 104
    assert settled(100, lease, 150) == 110
    assert settled(100, lease, 90) == 100


def test_each_percentage_is_announced_once() -> None:
    assert crossed(1000, 499, 0) == ()
    assert crossed(1000, 500, 0) == (50,)
    assert crossed(1000, 1200, 50) == (80, 100)
    assert crossed(1000, 1200, 100) == ()
