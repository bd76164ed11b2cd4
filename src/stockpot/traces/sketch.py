"""Quantiles of a stream in a few hundred bytes, mergeable. Knows numbers; knows no span.

A DDSketch: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", PVLDB 12(12), 2019. A value x > 1 falls into bucket ceil(log_gamma x);
the middle of a bucket is at most `ACCURACY` away from everything in it. Values are durations in
nanoseconds, so a bucket number is bounded (2^63 ns is bucket 2184) and buckets are never collapsed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log

import msgspec

ACCURACY = 0.01
"""Largest relative error of a quantile."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_BUCKETS_PER_E = 1 / log(_GAMMA)
_MIDDLE = 2 / (_GAMMA + 1)

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode


class Sketch:
    """Counts of values by bucket; `bins` maps a bucket's number to its count."""

    __slots__ = ("bins",)

    def __init__(self, bins: dict[int, int] | None = None) -> None:
        self.bins: dict[int, int] = {} if bins is None else bins

    @classmethod
    def of(cls, values: Iterable[float]) -> Sketch:
        sketch = cls()
        for value in values:
            sketch.add(value)
        return sketch

    def add(self, value: float) -> None:
        """Count one value; everything up to 1 shares the lowest bucket."""
        bucket = ceil(log(value) * _BUCKETS_PER_E) if value > 1 else 0
        bins = self.bins
        bins[bucket] = bins.get(bucket, 0) + 1

    def merge(self, other: Sketch) -> None:
        """Afterwards this sketch equals one that saw both streams, bit for bit."""
        bins = self.bins
        for bucket, count in other.bins.items():
            bins[bucket] = bins.get(bucket, 0) + count

    @property
    def count(self) -> int:
        return sum(self.bins.values())

    def quantile(self, q: float) -> float | None:
        """The value at rank floor(q (n - 1)), within `ACCURACY`; None when nothing was counted."""
        rank = floor(q * (self.count - 1))
        passed = 0
        for bucket in sorted(self.bins):
            passed += self.bins[bucket]
            if passed > rank:
                return _GAMMA**bucket * _MIDDLE
        return None

    def encode(self) -> bytes:
        """A MessagePack map, about four bytes a bucket; empty for an empty sketch."""
        return _encode(self.bins) if self.bins else b""

    @classmethod
    def decode(cls, blob: bytes) -> Sketch:
        return cls(_decode(blob) if blob else {})

    def merge_encoded(self, blob: bytes) -> None:
        """`merge(decode(blob))` without the object between."""
        if not blob:
            return
        bins = self.bins
        for bucket, count in _decode(blob).items():
            bins[bucket] = bins.get(bucket, 0) + count
