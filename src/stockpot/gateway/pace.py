"""How fast a target answers: a moving average that jumps to peaks, and a recent percentile.

Knows numbers and time; knows no target and no call.

The average is Finagle's Peak EWMA (Twitter, `PeakEwma.scala`): a sample above it replaces it at
once, others pull it down with a time constant, and silence lets it fade, so that a target that was
slow is tried again. Its load is the average times the calls that wait there, one more included.
"""

from __future__ import annotations

import math

DECAY_NS = 10e9
WINDOW = 128
"""Samples that the percentile is of."""
ENOUGH = 20
_EVERY = 8
"""New samples until the percentile is found anew: sorting takes some microseconds."""
_UNKNOWN = 1e15


class Pace:
    """Of one target and one kind of answer (streamed or whole): nanoseconds to the first byte."""

    __slots__ = ("_at", "_p95", "_ring", "_samples", "average")

    def __init__(self) -> None:
        self.average = 0.0
        self._at = 0
        self._ring: list[int] = []
        self._samples = 0
        self._p95 = 0

    def seen(self, ns: int, now_ns: int) -> None:
        """One more sample."""
        if ns > self.average:
            self.average = float(ns)
        else:
            kept = math.exp((self._at - now_ns) / DECAY_NS)
            self.average = self.average * kept + ns * (1.0 - kept)
        self._at = now_ns
        if self._samples < WINDOW:
            self._ring.append(ns)
        else:
            self._ring[self._samples % WINDOW] = ns
        self._samples += 1
        if self._samples == ENOUGH or (self._samples > ENOUGH and self._samples % _EVERY == 0):
            ordered = sorted(self._ring)
            self._p95 = ordered[math.ceil(len(ordered) * 0.95) - 1]

    @property
    def p95(self) -> int:
        """Nanoseconds that 95 of 100 recent samples stay within; 0 while there are too few."""
        return self._p95

    def load(self, waiting: int, now_ns: int) -> float:
        """What one more call would have to expect. Of the unknown, one call is tried at a time."""
        if not self._at:
            return _UNKNOWN + waiting if waiting else 0.0
        faded = self.average * math.exp((self._at - now_ns) / DECAY_NS)
        return faded * (waiting + 1)
