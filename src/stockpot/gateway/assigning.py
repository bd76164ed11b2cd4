"""A call that meets an experiment: which arm its unit is in, and what stands in for the subject.

    a prompt's label     the arm's version is rendered instead
    an alias or a route  the arm's route serves the call, under the name that was asked for

A unit that takes part is exposed: the call's record says so, and so does the answer's header. One
that does not take part (yet) sees the subject as it is. A call without a unit gets the control and
is counted apart, exposed to nothing. An arm whose target is not served here changes nothing either:
an experiment never costs an answer. Loaded with the first snapshot that has an experiment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from stockpot.assign import Arm, Drawn
    from stockpot.gateway.call import Call
    from stockpot.gateway.experiment_table import Split
    from stockpot.gateway.snapshot import RouteEntry

_COUNTING = "count_tokens"
_UNIT_MOST = 1024
"""Characters of a unit's name; what is longer has no unit."""


class _Body(msgspec.Struct):
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Body).decode


def arm_for_label(call: Call, subject: str) -> tuple[Split, Arm, Drawn | None] | None:
    """The arm of a call that names `NAME@LABEL`, or None where nothing is split for it. The caller
    says what became of it: `counted` or `not_served`."""
    assert call.key is not None
    table = call.view.experiments
    split = table.labels.get((call.key.spec.project, subject)) if table is not None else None
    return _arm(call, split) if split is not None else None


def route_for(call: Call, route: RouteEntry) -> RouteEntry:
    """The route that serves a call to this model name: an arm's, or the name's own."""
    assert call.key is not None
    assert call.ask is not None
    table = call.view.experiments
    model = call.ask.model
    split = table.models.get((call.key.spec.project, model)) if table is not None else None
    met = _arm(call, split) if split is not None else None
    if met is None:
        return route
    split, arm, drawn = met
    if arm.target != model:
        other = call.view.routes.get(arm.target)
        served = "chat" if call.endpoint == _COUNTING else call.endpoint
        if other is None or not other.tiers or served not in other.endpoints:
            not_served(split)
            return route
        route = other
    counted(call, split, drawn)
    return route


def counted(call: Call, split: Split, drawn: Drawn | None) -> None:
    """The arm is served: note the exposure of a unit, or that there was none."""
    if drawn is None:
        split.tally["no_unit"] += 1
        return
    if call.endpoint == _COUNTING:  # asks no model, and so says nothing of one
        return
    split.tally["exposed"] += 1
    call.exposures = (*call.exposures, (split.name, drawn.arm.name, drawn.unit))


def not_served(split: Split) -> None:
    """The arm's target is not to be had here: the subject is served as it is."""
    split.tally["not_served"] += 1


def _arm(call: Call, split: Split) -> tuple[Split, Arm, Drawn | None] | None:
    if call.start_ns < split.starts_ns:
        return None
    unit = unit_of(call, split)
    if not unit:
        return split, split.splitter.control, None
    drawn = split.splitter.draw(unit)
    return (split, drawn.arm, drawn) if drawn is not None else None


def unit_of(call: Call, split: Split) -> str:
    """The name of the call's unit; '' when it has none."""
    source = split.source
    if source == "key":
        assert call.key is not None
        return call.key.spec.id
    found = ""
    if split.header and (said := call.headers.get(split.header)):
        found = said.decode("utf-8", "replace")
    elif source == "user":
        found = call.ask.user if call.ask is not None else _user(call)
    elif source == "metadata":
        value = (_said(call).metadata or {}).get(split.field)
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        found = str(value) if plain else ""
    return found if len(found) <= _UNIT_MOST else ""


def _user(call: Call) -> str:
    """The end user that the body names, before a dialect has read it."""
    body = _said(call)
    named = (body.metadata or {}).get("user_id") if call.dialect.name == "anthropic" else None
    return body.user or body.safety_identifier or (named if isinstance(named, str) else "")


def _said(call: Call) -> _Body:
    try:
        return _decode(call.request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Body()
