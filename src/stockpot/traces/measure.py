"""What happened in one slice and window, to be merged and asked. Knows sketches; knows no table."""

from __future__ import annotations

from stockpot.traces.sketch import Sketch


class Measure:
    """What happened in one slice and window. `errors` are calls that did not end ok; `latency`
    leaves out what was refused here. Sketches hold nanoseconds."""

    __slots__ = (
        "calls", "cost_nano", "errors", "input_tokens", "latency", "output_tokens", "tpot", "ttft",
        "unpriced",
    )  # fmt: skip

    def __init__(self) -> None:
        self.calls = self.errors = self.cost_nano = self.unpriced = 0
        self.input_tokens = self.output_tokens = 0
        self.latency, self.ttft, self.tpot = Sketch(), Sketch(), Sketch()

    def merge(self, other: Measure) -> None:
        """Afterwards this is what happened in both."""
        self.calls += other.calls
        self.errors += other.errors
        self.cost_nano += other.cost_nano
        self.unpriced += other.unpriced
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.latency.merge(other.latency)
        self.ttft.merge(other.ttft)
        self.tpot.merge(other.tpot)
