"""Rows of endpoints and functions as spans."""

from __future__ import annotations

from stockpot.evals.models import Row
from stockpot.evals.spanning import Called, Place, batches_of


def called(number: int, output: str) -> Called:
    place = Place.new()
    return Called(place, "POST /describe", Row(id=f"r{number}", input="leek"), 0, output, "",
                  place.start_ns + 1)  # fmt: skip


def test_spans_go_out_in_requests_that_a_server_takes() -> None:
    small = [called(number, "soup") for number in range(1001)]
    assert [len(batch) for batch in batches_of(small)] == [500, 500, 1]
    large = [called(number, "x" * (1 << 20)) for number in range(40)]
    batches = list(batches_of(large))
    assert [call.row.id for batch in batches for call in batch] == [f"r{n}" for n in range(40)]
    assert (
        max(sum(len(call.output[: 256 * 1024]) for call in batch) for batch in batches) <= 4 << 20
    )
    assert list(batches_of([])) == []


def test_a_place_is_told_as_w3c_trace_context() -> None:
    place = Place.new()
    version, trace, span, flags = place.headers["traceparent"].split("-")
    assert (version, trace, span, flags) == ("00", place.trace_id, place.span_id, "01")
    assert (len(trace), len(span)) == (32, 16)
