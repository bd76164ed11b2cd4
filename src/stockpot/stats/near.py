"""Texts that are nearly the same, without comparing each with each.

MinHash (Broder 1997, Compression and Complexity of Sequences) estimates the Jaccard similarity of
two sets from short signatures; bands of a signature that agree (Indyk and Motwani 1998, STOC) name
candidates, and each candidate is confirmed on the sets themselves, so that what is told is exact:
only pairs that share no band can be missed, at a similarity of 0.8 one in two thousand million.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Characters of a shingle."""

_ROWS, _BANDS = 4, 32
_PRIME = np.uint64((1 << 31) - 1)
_CROWDED = 200
"""A bucket with more texts than this is compared with its first members only."""


class Pair(NamedTuple):
    """Two texts by their places, and the share of their shingles that both have."""

    one: int
    other: int
    similarity: float


def near_pairs(texts: Sequence[str], threshold: float = 0.8) -> list[Pair]:
    """Pairs whose shingles of characters have at least this Jaccard similarity, the most alike
    first. Case, accents and white space do not count."""
    sets = [shingles(text) for text in texts]
    found = []
    for one, other in _candidates(sets):
        shared = len(sets[one] & sets[other])
        union = len(sets[one]) + len(sets[other]) - shared
        similarity = shared / union if union else 1.0
        if similarity >= threshold:
            found.append(Pair(one, other, similarity))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.one, pair.other))


def shingles(text: str) -> frozenset[int]:
    """The shingles of a text as numbers; a shorter text is one shingle."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    flat = " ".join("".join(bare).casefold().split())
    parts = {flat[i : i + SHINGLE] for i in range(max(1, len(flat) - SHINGLE + 1))}
    return frozenset(
        int.from_bytes(hashlib.blake2b(p.encode("utf-8", "replace"), digest_size=4).digest(), "big")
        for p in parts
    )


def _candidates(sets: Sequence[frozenset[int]]) -> set[tuple[int, int]]:
    rng = np.random.default_rng(20_260_101)
    factors = rng.integers(1, int(_PRIME), _ROWS * _BANDS, dtype=np.uint64)
    offsets = rng.integers(0, int(_PRIME), _ROWS * _BANDS, dtype=np.uint64)
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for place, members in enumerate(sets):
        signature = _signature(members, factors, offsets)
        for band in range(_BANDS):
            key = signature[band * _ROWS : (band + 1) * _ROWS].tobytes()
            buckets[band, key].append(place)
    return set(_within(buckets))


def _signature(
    members: frozenset[int], factors: NDArray[np.uint64], offsets: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    values = np.fromiter(members, dtype=np.uint64, count=len(members)) % _PRIME
    hashed = (values[:, None] * factors[None, :] + offsets[None, :]) % _PRIME
    least: NDArray[np.uint64] = hashed.min(axis=0)
    return least


def _within(buckets: dict[tuple[int, bytes], list[int]]) -> Iterator[tuple[int, int]]:
    for places in buckets.values():
        for index, other in enumerate(places):
            for one in places[: min(index, _CROWDED)]:
                yield one, other
