"""A run that has a purse never pays more than is in it, and goes on when there is more."""

from __future__ import annotations

import asyncio

from stockpot.evals.engine import Engine, Plan
from stockpot.evals.models import Row, ScorerSpec, SuiteSpec, Target
from stockpot.evals.scorers import made
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
