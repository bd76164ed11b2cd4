"""What the one writer can be asked to do with what is there already. Records alone.

Each order does a bounded piece of work; `Done.more` says that the same order has more to do.
"""

from __future__ import annotations

import msgspec


class Expire(msgspec.Struct, tag="expire"):
    """Remove a project's spans, or their payloads alone, that came before a time."""

    project: str
    before_ns: int
    payloads_only: bool = False


class Sample(msgspec.Struct, tag="sample"):
    """Of a project's traces that came before a time and were not judged yet, keep what is worth
    keeping and a share of the rest.

    Kept is every trace with a span that did not end ok, that took `slow_ns`, or that `low` names;
    one that cost `cost_nano`; and of the rest those whose id says so by `rate`. These stand for
    1/rate each. With `payloads_only` the spans of the others stay.
    """

    project: str
    before_ns: int
    rate: float
    errors: bool = True
    slow_ns: int | None = None
    cost_nano: int | None = None
    low: tuple[bytes, ...] = ()
    payloads_only: bool = False


class Erase(msgspec.Struct, tag="erase"):
    """Forget an end user: what was said in their traces, and their name."""

    user: str
    project: str | None = None


class CountAnew(msgspec.Struct, tag="count_anew"):
    """Forget what the units of an experiment did so far: they count from their next call on."""

    project: str
    experiment: str


class Blank(msgspec.Struct, tag="blank"):
    """Forget what was said in some traces of a project, whoever said it."""

    project: str
    traces: tuple[bytes, ...]


class Priced(msgspec.Struct, array_like=True):
    """What a span costs after all."""

    number: int
    cost_nano: int | None
    cost_detail: str
    unit_prices: str
    price_id: str
    price_source: str
    saved_nano: int


class Reprice(msgspec.Struct, tag="reprice"):
    """Put other costs on spans, and on every sum that holds them."""

    spans: tuple[Priced, ...]


Order = Expire | Sample | Erase | Blank | CountAnew | Reprice


class Done(msgspec.Struct):
    """How many spans an order has changed, how many of them it removed; `traces` are those that an
    erasure met, by project."""

    spans: int = 0
    removed: int = 0
    more: bool = False
    traces: tuple[tuple[str, bytes], ...] = ()
