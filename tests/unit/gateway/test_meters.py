"""What a worker counts, by the names that OpenTelemetry gives server metrics of models."""

from __future__ import annotations

from stockpot.core.prometheus import exposition
from stockpot.gateway.meters import Meters
from tests.unit.traces.made import make_record

NAMES = (
    "gen_ai_server_request_duration_seconds",
    "gen_ai_server_time_to_first_token_seconds",
    "gen_ai_server_time_per_output_token_seconds",
)


def test_every_server_metric_of_a_model_is_a_histogram_in_seconds() -> None:
    meters = Meters()
    for number in range(3):
        timed = {"duration_ns": 1_500_000_000, "ttft_ns": 90_000_000, "tpot_ns": 9_000_000}
        meters.observe(make_record(number, **timed))
    samples = meters.samples()
    text = exposition(samples)
    for name in NAMES:
        assert f"# TYPE {name} histogram" in text
    sums = {
        name: sum(v for k, v in samples.items() if k.startswith(f"{name}_sum")) for name in NAMES
    }
    assert [round(total, 6) for total in sums.values()] == [4.5, 0.27, 0.027]
    within = [k for k in samples if k.startswith(f"{NAMES[2]}_bucket") and 'le="0.01"' in k]
    assert [samples[key] for key in within] == [3.0]


def test_a_call_that_was_not_streamed_has_no_time_per_token() -> None:
    meters = Meters()
    meters.observe(make_record(1, ttft_ns=None, tpot_ns=None))
    assert not any("time_" in key for key in meters.samples())
