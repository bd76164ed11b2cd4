"""A run that has a purse never pays more than is in it, and goes on when there is more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stockpot.evals.engine import Engine, Plan
from stockpot.evals.models import Row, ScorerSpec, SuiteSpec, Target, Verdict
from stockpot.evals.records import Judgement
from stockpot.evals.scorers import Case, Scorer, made
from stockpot.evals.scorers.base import Tools
from stockpot.evals.targets import Answer
from tests.unit.evals.kept import Kept

SPEC = SuiteSpec(
    name="s", target=Target(kind="model", model="m"), scorers=(ScorerSpec(use="exact"),)
)
ROWS = tuple(Row(id=f"r{n}", input={"text": "x"}, expected="y") for n in range(60))
CALL_NANO = 2_000_000
"""1,000 tokens in and 1,000 out at a dollar per million each."""


class Purse:
    def __init__(self, nano: int) -> None:
        self.left, self.paid, self.least = nano, 0, nano

    def reserve(self, nano: int) -> bool:
        if nano > self.left:
            return False
        self.left -= nano
        self.least = min(self.least, self.left)
        return True

    def settle(self, reserved: int, paid: int) -> None:
        self.left += reserved - paid
        self.paid += paid


class Model:
    def key(self, row: Row, repeat: int) -> bytes | None:
        return row.id.encode()

    def at_once(self, row: Row) -> Answer | None:
        return None

    async def call(self, row: Row, repeat: int) -> Answer:
        await asyncio.sleep(0.001)
        return Answer(output="y", input_tokens=1000, output_tokens=1000)

    async def close(self) -> None:
        pass


async def run(kept: Kept, purse: Purse) -> Engine:
    plan = Plan(SPEC, ROWS, done=frozenset(kept.results), prices=(1.0, 1.0))
    engine = Engine(plan, kept, Model(), [made(one) for one in SPEC.scorers], kept, purse=purse)
    await engine.run()
    return engine


async def test_the_last_call_that_the_purse_pays_for_is_the_last_one() -> None:
    kept, purse = Kept(), Purse(20 * CALL_NANO + CALL_NANO // 2)
    engine = await run(kept, purse)
    assert engine.out_of_money
    assert (len(kept.results), purse.paid) == (20, 20 * CALL_NANO)
    assert purse.least >= 0
    rest = await run(kept, Purse(100 * CALL_NANO))
    assert not rest.out_of_money
    assert len(kept.results) == len(ROWS)


class Judged(Scorer):
    """A judge that takes three times what a call takes; it guesses too much beforehand."""

    name, returns = "judged", "number"

    async def cost_ahead(self, cases: Sequence[Case], tools: Tools) -> Sequence[int]:
        return [4 * CALL_NANO] * len(cases)

    async def score_all(self, cases: Sequence[Case], tools: Tools) -> list[Verdict]:
        await asyncio.sleep(0.002)
        paid = Judgement(item="", value=1.0, cost_nano=3 * CALL_NANO)
        return [Verdict(value=1.0, judgement=paid) for _ in cases]


async def judged(kept: Kept, purse: Purse) -> Engine:
    plan = Plan(SPEC, ROWS, done=frozenset(kept.results), prices=(1.0, 1.0))
    engine = Engine(plan, kept, Model(), [Judged()], kept, purse=purse)
    await engine.run()
    return engine


async def test_what_judges_take_is_put_aside_before_the_call_and_paid_out_of_the_same_purse() -> (
    None
):
    kept, purse = Kept(), Purse(40 * CALL_NANO + CALL_NANO // 2)
    engine = await judged(kept, purse)
    assert engine.out_of_money
    assert purse.least >= 0
    assert (len(kept.results), purse.paid) == (10, 40 * CALL_NANO)
    assert engine.progress.cost_nano == 40 * CALL_NANO
    assert engine.progress.judges_nano == 30 * CALL_NANO
    # answers that are known cost nothing, judging them does
    again, purse = Kept(), Purse(6 * CALL_NANO + CALL_NANO // 2)
    again.answers = kept.answers
    engine = await judged(again, purse)
    assert engine.out_of_money
    assert (len(again.results), purse.paid) == (2, 6 * CALL_NANO)
    rest = await judged(again, Purse(1000 * CALL_NANO))
    assert (rest.out_of_money, len(again.results)) == (False, len(ROWS))
