"""Dividing a budget among workers. Pure arithmetic in nano-dollars; knows no table and no clock.

A worker may spend only what it holds, and what all hold together with what is spent never exceeds
the limit. So the limit is kept exactly, whatever is lost, repeated or killed between a worker and
here; what a worker holds unused is missing elsewhere until it is given back or reclaimed.

    spent + sum(held) <= limit        after every step that grants

A report carries a sequence number. A repeated one (its answer was lost) may tell more spending than
the first time, and only the difference is counted; an older one changes nothing. Wanting less than
it holds, a worker has already stopped spending the difference, so it can be lent out at once.
"""

from __future__ import annotations

from typing import NamedTuple

SMALLEST_BLOCK = 1_000_000
"""A tenth of a cent: below it, the round trips would cost more than the precision is worth."""

EVENT_PERCENTS = (50, 80, 100)


class Lease(NamedTuple):
    """What one worker holds of one budget, and its last report."""

    held: int = 0
    sequence: int = -1
    reported: int = 0


class Answer(NamedTuple):
    """The state after a report: total spending, the worker's lease, and what it may still spend."""

    spent: int
    lease: Lease


def answer(limit: int, spent: int, others: int, lease: Lease, ask: Lease) -> Answer:
    """Settle one report. `ask` holds what the worker wants, its sequence and what it spent;
    `others` is what all other workers hold."""
    if ask.sequence < lease.sequence:
        return Answer(spent, lease)
    repeated = ask.sequence == lease.sequence
    told_before = lease.reported if repeated else 0
    news = max(0, ask.reported - told_before)
    spent += news
    held = max(0, lease.held - news)
    if not repeated:
        held = _granted(limit, spent, others, ask.held)
    return Answer(spent, Lease(held, ask.sequence, told_before + news))


def settled(spent: int, lease: Lease, known: int | None) -> int:
    """Spending after a dead worker's lease is taken back. `known` is what the span log holds of the
    whole budget, None when it may not hold all of the dead's.

    The log also knows of the living what they have not reported yet and will; the dead spent no
    more than he held, so no more than that is added. What is unknown is counted in full: the limit
    is the promise.
    """
    most = spent + lease.held
    return most if known is None else min(max(spent, known), most)


def _granted(limit: int, spent: int, others: int, wanted: int) -> int:
    if wanted <= 0:
        return 0  # the worker stops, and gives back
    most = max(0, limit - spent - others)
    # A hundredth at a time, and towards the end a quarter of what is left, so that the last cents
    # are not all with one worker.
    block = min(max(limit // 100, SMALLEST_BLOCK), most // 4)
    return min(max(wanted, block), most)


def crossed(limit: int, spent: int, announced: int) -> tuple[int, ...]:
    """Percentages of the limit that were reached since the last announced one."""
    return tuple(p for p in EVENT_PERCENTS if p > announced and spent * 100 >= limit * p)
