"""What an application does for a user is one observation, however many calls it makes for it.
Knows who hangs below whom in a trace; knows no metric.

An application's root span and the calls below it may name the same experiment and unit. Then the
root tells how long it took and whether it failed, and the calls tell what it cost: each of them is
marked by a fourth entry in its exposure, the number of observations that its cost makes. That is 1
for the first call below a root and 0 for the others, so that their sum is the cost of the root.
Calls that no such root is above of are observations of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from stockpot.traces.store.rollups import BENEATH, CALLS

Exposure = tuple[str, ...]
"""Experiment, arm, unit, and the mark if there is one."""

_REACH = 64
"""How many spans may lie between a call and the root at most."""

_decode = msgspec.json.Decoder(tuple[tuple[str, ...], ...]).decode
_encode = msgspec.json.Encoder().encode


class Place(NamedTuple):
    """What it takes to climb from a span, and to choose which of the calls is the first."""

    span_id: bytes
    parent_id: bytes
    kind: str
    source: str
    is_root: bool
    status: str
    cost_source: str
    cost_nano: int | None
    at_ns: int
    exposures: str


def exposures_in(text: str) -> tuple[Exposure, ...]:
    """Exposures as they stand in a row; '' has none."""
    return _decode(text) if text else ()


def unmarked(text: str) -> str:
    """The same exposures as their sender told them."""
    return _written(exposure[:3] for exposure in exposures_in(text)) if text else ""


def marked(places: Mapping[bytes, Place]) -> dict[bytes, str]:
    """The exposures of a trace's spans that have to be written anew, by span."""
    told = {ident: exposures_in(place.exposures) for ident, place in places.items()}
    work = {
        ident: {exposure[:3] for exposure in told[ident]}
        for ident, place in places.items()
        if told[ident] and _is_work(place)
    }
    above = {
        (ident, exposure[:3]): root
        for ident in (told if work else ())
        for exposure in told[ident]
        if (root := _outermost(places, work, ident, exposure[:3])) is not None
    }
    first = _first(places, above)
    changed: dict[bytes, str] = {}
    for ident, exposures in told.items():
        now: list[Exposure] = []
        for exposure in (one[:3] for one in exposures):
            root = above.get((ident, exposure))
            mark = () if root is None else (str(int(first.get((root, exposure)) == ident)),)
            now.append((*exposure, *mark))
        if tuple(now) != exposures:
            changed[ident] = _written(now)
    return changed


def _first(
    places: Mapping[bytes, Place], above: Mapping[tuple[bytes, Exposure], bytes]
) -> dict[tuple[bytes, Exposure], bytes]:
    """The first call below each root for each exposure; one whose price is known goes first."""
    found: dict[tuple[bytes, Exposure], tuple[bool, int, bytes]] = {}
    for (ident, exposure), root in above.items():
        place = places[ident]
        if _counts(place):
            order = (place.cost_nano is None, place.at_ns, ident)
            found[root, exposure] = min(found.get((root, exposure), order), order)
    return {key: order[2] for key, order in found.items()}


def _outermost(
    places: Mapping[bytes, Place], work: Mapping[bytes, set[Exposure]], ident: bytes,
    exposure: Exposure,
) -> bytes | None:  # fmt: skip
    """The highest root above a span that takes part in the same."""
    found = None
    place = places[ident]
    for _ in range(_REACH):
        above = places.get(place.parent_id) if place.parent_id else None
        if above is None:
            break
        if exposure in work.get(above.span_id, ()):
            found = above.span_id
        place = above
    return None if found == ident else found


def _is_work(place: Place) -> bool:
    """Whether it is an application's root that tells of more than one call."""
    if not place.is_root or place.status == "refused":
        return False
    return place.source != "gateway" and place.kind not in CALLS


def _counts(place: Place) -> bool:
    """Whether it is a call with a cost that counts."""
    if place.status == "refused" or place.cost_source == BENEATH:
        return False
    return place.is_root if place.source == "gateway" else place.kind in CALLS


def _written(exposures: Iterable[Exposure]) -> str:
    return _encode(list(exposures)).decode()
