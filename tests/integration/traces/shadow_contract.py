"""What every span store must tell of copies that went to a candidate."""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.gateway import Shipped
from stockpot.traces.models import Sight, TraceFilter
from stockpot.traces.store import SpanStore
from tests.integration.traces.span_store_contract import ship
from tests.unit.traces.made import AT_NS, answered, asked, make_record, make_shipped

SHOP = TraceFilter(requested_model="shop")


def copied(number: int, said: tuple[str, str] = ("", ""), **changes: Any) -> tuple[Shipped, ...]:
    """A call and its copy, 0.1 s slower; `said` are both answers, kept where there are any."""
    call = make_record(number, route="shop", payload=int(any(said)))
    own = {"provider": "lab", "target": "lab-new", "model": "new", **changes}
    copy = msgspec.structs.replace(
        call, span_id=call.span_id[::-1], parent_id=call.span_id, is_root=False,
        route_reason="shadow", duration_ns=call.duration_ns + 100_000_000, **own,
    )  # fmt: skip
    if not any(said):
        return Shipped(call), Shipped(copy)
    question = asked(f"question {number}")
    return (
        Shipped(call, question, answered(said[0])), Shipped(copy, question, answered(said[1]))
    )  # fmt: skip


class ShadowContract:
    """Of every engine."""

    def test_a_copy_is_read_beside_its_call(self, store: SpanStore) -> None:
        first, second = copied(1, ("soup", "stew")), copied(2)
        older = copied(3, model="old")
        (_, lost), other = copied(4), make_shipped(5, route="else", route_reason="shadow")
        ship(store, *first, *second, *older, lost, other)
        counts = [tuple(one) for one in store.shadow_counts(SHOP)]
        assert counts == [("lab", "new", 3, 2), ("lab", "old", 1, 1)]
        new = SHOP.narrowed(model="new")
        two, one = store.shadow_pairs(new, limit=9)
        assert one.candidate.parent_id == one.base.span_id
        assert (one.candidate.trace_id, one.candidate.model, one.base.model) == (
            first[0].record.trace_id.hex(), "new", "gpt-4o-mini",
        )  # fmt: skip
        assert one.base_said is not None
        assert one.candidate_said is not None
        assert (one.base_said.asked, one.base_said.answered) == ("question 1", "soup")
        assert one.candidate_said.answered == "stew"
        assert two.base_said is two.candidate_said is None, "nothing was kept of it"
        assert [p.number for p in store.shadow_pairs(new, limit=1)] == [two.number]
        assert store.shadow_pairs(new, before=two.number, limit=1)[0].number == one.number
        late = new.narrowed(from_ms=AT_NS / 1e6 + 1500)
        assert [p.number for p in store.shadow_pairs(late, limit=9)] == [two.number]
        assert store.shadow_pairs(new.narrowed(to_ms=AT_NS / 1e6 - 9e7), limit=9) == []
        blind = new.seen_with(Sight(projects=frozenset({"till"})))
        assert (store.shadow_pairs(blind, limit=9), store.shadow_counts(blind)) == ([], [])
