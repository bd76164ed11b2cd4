"""The tree of a trace: reading order and sums, whatever its spans say of their parents."""

from __future__ import annotations

import random

import pytest

from stockpot.traces.tree import Below, Light, grow


def light(number: int, parent: int = 0, start: int | None = None, **more: object) -> Light:
    about: dict[str, object] = {
        "number": number, "span_id": bytes([number]),
        "parent_id": bytes([parent]) if parent else b"",
        "start_ns": number * 10 if start is None else start, "end_ns": number * 10 + 5,
        "failed": False, "attempt": 0, "below_call": False, "cost_nano": None, "tokens": 1,
        "project": "menu", "key_id": "",
    }  # fmt: skip
    return Light(**{**about, **more})  # type: ignore[arg-type]


def told(rows: list[Below]) -> list[tuple[int, int]]:
    return [(row.number, row.depth) for row in rows]


def test_parents_stand_before_their_children_and_both_by_start() -> None:
    rows = grow([light(3, 1), light(1), light(4, 2), light(2, 1, start=900)])
    assert told(rows) == [(1, 0), (3, 1), (2, 1), (4, 2)]


def test_sums_are_of_all_that_hangs_below() -> None:
    spans = [light(1), light(2, 1, cost_nano=5), light(3, 2, cost_nano=7, failed=True), light(4, 1)]
    top, second, *_ = grow(spans)
    assert (top.spans, top.children, top.errors, top.cost_nano, top.tokens) == (4, 2, 1, 12, 4)
    assert (top.start_ns, top.end_ns) == (10, 45)
    assert (second.spans, second.cost_nano) == (2, 12)
    assert grow([light(1)])[0].cost_nano is None


def test_a_failed_attempt_stands_before_the_call_at_its_depth() -> None:
    app, call = light(1), light(3, 1, attempt=2)
    failed = light(2, 3, attempt=1, below_call=True)
    assert told(grow([failed, call, app])) == [(1, 0), (2, 1), (3, 1)]


def test_orphans_and_cycles_are_shown_once() -> None:
    rows = grow([light(1, 2), light(2, 1), light(3, 99), light(4, 4)])
    assert sorted(row.number for row in rows) == [1, 2, 3, 4]
    assert {row.number for row in rows if row.depth == 0} >= {3, 4}


@pytest.mark.parametrize("seed", range(20))
def test_the_rows_below_a_span_follow_it(seed: int) -> None:
    rng = random.Random(seed)
    spans = [light(n, rng.randrange(0, 60), start=rng.randrange(99)) for n in range(1, 60)]
    rows = grow(spans)
    assert sorted(row.number for row in rows) == list(range(1, 60))
    for place, row in enumerate(rows):
        below = rows[place + 1 : place + row.spans]
        assert all(one.depth > row.depth for one in below)
        assert row.children == sum(one.depth == row.depth + 1 for one in below)
        after = rows[place + row.spans :]
        assert not after or after[0].depth <= row.depth


def test_a_chain_of_ten_thousand_is_no_recursion() -> None:
    chain = [
        light(0)._replace(number=n, span_id=b"%d" % n, parent_id=b"%d" % (n - 1), start_ns=n)
        for n in range(10_000)
    ]
    assert [row.depth for row in grow(chain)][-1] == 9_999
