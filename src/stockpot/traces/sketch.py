"""Quantiles of a stream in a few hundred bytes, mergeable. Knows numbers; knows no span.

A DDSketch: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", PVLDB 12(12), 2019. A value x > 1 falls into bucket ceil(log_gamma x);
the middle of a bucket is at most `ACCURACY` away from everything in it. Values are durations in
nanoseconds, so a bucket number is bounded (2^63 ns is bucket 2184) and buckets are never collapsed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log
from typing import cast

import msgspec

ACCURACY = 0.01
"""Largest relative error of a quantile."""

_ROUNDING = 1e-6
"""0.07 of 100 values are 7, though the product is a little more."""
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_BUCKETS_PER_E = 1 / log(_GAMMA)
_MIDDLE = 2 / (_GAMMA + 1)

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(dict[int, int] | list[int]).decode
_FEW = 64
"""Values up to which a sketch is written as the list of their buckets, which is shorter."""


class Sketch:
    """Counts of values by bucket; `bins` maps a bucket's number to its count."""

    __slots__ = ("bins",)

    def __init__(self) -> None:
        self.bins: dict[int, int] = {}

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
        if not bins:  # the first of several, which is most of them
            bins.update(other.bins)
            return
        for bucket, count in other.bins.items():
            bins[bucket] = bins.get(bucket, 0) + count

    @property
    def count(self) -> int:
        return sum(self.bins.values())

    def quantiles(self, *asked: float) -> list[float | None]:
        """For each q the least value that the share q of all does not exceed, within `ACCURACY`:
        the p99 of a few is the greatest. None when nothing was counted. `asked` ascends."""
        ordered = sorted(self.bins.items())
        count, found, passed, at = self.count, [], 0, -1
        for q in asked:
            rank = max(ceil(q * count - _ROUNDING) - 1, 0)
            while ordered and passed <= rank:
                at += 1
                passed += ordered[at][1]
            found.append(_GAMMA ** ordered[at][0] * _MIDDLE if ordered else None)
        return found

    def above(self, bound: float) -> int:
        """How many values were counted above a bound, unsure of those within `ACCURACY` of it."""
        edge = ceil(log(bound) * _BUCKETS_PER_E) if bound > 1 else 0
        return sum(count for bucket, count in self.bins.items() if bucket > edge)

    def encode(self) -> bytes:
        """MessagePack: a list of buckets, or a map from bucket to count; empty for no values."""
        bins = self.bins
        if not bins:
            return b""
        if len(bins) <= _FEW and self.count <= _FEW:
            return _encode([bucket for bucket, count in bins.items() for _ in range(count)])
        return _encode(bins)

    @classmethod
    def decode(cls, blob: bytes) -> Sketch:
        sketch = cls()
        sketch.merge_decoded(decoded(blob))
        return sketch

    def merge_decoded(self, counts: Counts) -> None:
        """`merge(decode(blob))` without the object between: give it what `decoded` gave."""
        bins = self.bins
        if type(counts) is list:
            for bucket in counts:
                bins[bucket] = bins.get(bucket, 0) + 1
        elif not bins:
            bins.update(cast("dict[int, int]", counts))
        else:
            for bucket, count in cast("dict[int, int]", counts).items():
                bins[bucket] = bins.get(bucket, 0) + count


Counts = dict[int, int] | list[int]
"""What `encode` wrote: counts by bucket, or the buckets themselves."""


def decoded(blob: bytes) -> Counts:
    """The counts of an encoded sketch, to be merged into any number of sketches."""
    return _decode(blob) if blob else []
