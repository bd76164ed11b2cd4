"""Counting what a worker does, for heartbeats. Knows Prometheus' names; knows no HTTP.

One `Meter` per (route, provider, target model, status) keeps plain integers, so that a call costs a
handful of additions; text is made when a heartbeat asks for it. Names and buckets follow the OTel
GenAI metrics (`gen_ai.server.request.duration`, `gen_ai.server.time_to_first_token`,
`gen_ai.server.time_per_output_token`).
"""

from __future__ import annotations

from bisect import bisect_left

from stockpot.gateway.models import Record, Verdict

BUCKETS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
    40.96, 81.92,
)  # fmt: skip
_BUCKETS_NS = tuple(int(edge * 1e9) for edge in BUCKETS_S)


class Meter:
    """Totals of one combination of labels since the worker's start."""

    __slots__ = (
        "calls", "cost", "duration", "input", "output", "sum_ns", "tpot", "tpot_sum_ns", "ttft",
        "ttft_sum_ns",
    )  # fmt: skip

    def __init__(self) -> None:
        self.calls = 0
        self.sum_ns = 0
        self.ttft_sum_ns = self.tpot_sum_ns = 0
        self.input = 0
        self.output = 0
        self.cost = 0
        self.duration = [0] * (len(BUCKETS_S) + 1)
        self.ttft = [0] * (len(BUCKETS_S) + 1)
        self.tpot = [0] * (len(BUCKETS_S) + 1)


class Meters:
    """All meters of a worker, and counters of single events by name."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, str, str, int], Meter] = {}
        self.events: dict[str, int] = {}
        self._verdicts: dict[tuple[str, str, str, str, str], int] = {}
        """Of guardrails: calls by policy, rule, rail, action and whether it had an effect."""

    def event(self, name: str) -> None:
        self.events[name] = self.events.get(name, 0) + 1

    def observe(self, record: Record) -> None:
        labels = (record.route, record.provider, record.model, record.status)
        meter = self._meters.get(labels)
        if meter is None:
            meter = self._meters[labels] = Meter()
        meter.calls += 1
        if record.guardrails:
            self._judged(record.guardrails)
        meter.sum_ns += record.duration_ns
        meter.input += record.input_tokens
        meter.output += record.output_tokens
        meter.cost += record.cost_nano or 0
        meter.duration[bisect_left(_BUCKETS_NS, record.duration_ns)] += 1
        if record.ttft_ns:
            meter.ttft_sum_ns += record.ttft_ns
            meter.ttft[bisect_left(_BUCKETS_NS, record.ttft_ns)] += 1
        if record.tpot_ns:
            meter.tpot_sum_ns += record.tpot_ns
            meter.tpot[bisect_left(_BUCKETS_NS, record.tpot_ns)] += 1

    def _judged(self, verdicts: tuple[Verdict, ...]) -> None:
        policy = verdicts[0].rail
        for one in verdicts:
            mode = "shadow" if one.shadow else one.failed or "live"
            labels = (policy, one.rule, one.rail if one.rule else "", one.action, mode)
            self._verdicts[labels] = self._verdicts.get(labels, 0) + 1

    def samples(self) -> dict[str, float]:
        """Prometheus samples: `name{labels}` to value. Summing them over workers is meaningful."""
        out: dict[str, float] = {
            f'stockpot_events_total{{event="{name}"}}': float(n) for name, n in self.events.items()
        }
        for (policy, rule, rail, action, mode), count in self._verdicts.items():
            said = f'policy="{policy}",rule="{rule}",rail="{rail}",action="{action}",mode="{mode}"'
            out[f"stockpot_guardrail_calls_total{{{said}}}"] = float(count)
        for (route, provider, model, status), meter in self._meters.items():
            labels = (
                f'route="{_escaped(route)}",gen_ai_provider_name="{_escaped(provider)}",'
                f'gen_ai_request_model="{_escaped(model)}",status="{status}"'
            )
            _meter_samples(out, labels, meter)
        return out


def _meter_samples(out: dict[str, float], labels: str, meter: Meter) -> None:
    tokens = "stockpot_gen_ai_tokens_total"
    out[f"stockpot_calls_total{{{labels}}}"] = float(meter.calls)
    out[f'{tokens}{{{labels},gen_ai_token_type="input"}}'] = float(meter.input)
    out[f'{tokens}{{{labels},gen_ai_token_type="output"}}'] = float(meter.output)
    out[f"stockpot_cost_dollars_total{{{labels}}}"] = meter.cost / 1e9
    _histogram(out, "gen_ai_server_request_duration_seconds", labels, meter.duration, meter.sum_ns)
    if meter.ttft_sum_ns:
        name = "gen_ai_server_time_to_first_token_seconds"
        _histogram(out, name, labels, meter.ttft, meter.ttft_sum_ns)
    if meter.tpot_sum_ns:
        name = "gen_ai_server_time_per_output_token_seconds"
        _histogram(out, name, labels, meter.tpot, meter.tpot_sum_ns)


def _histogram(out: dict[str, float], name: str, labels: str, counts: list[int], ns: int) -> None:
    running = 0
    for edge, count in zip((*BUCKETS_S, "+Inf"), counts, strict=True):
        running += count
        out[f'{name}_bucket{{{labels},le="{edge}"}}'] = float(running)
    out[f"{name}_count{{{labels}}}"] = float(running)
    out[f"{name}_sum{{{labels}}}"] = ns / 1e9


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
