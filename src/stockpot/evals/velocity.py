"""How fast ideas reach production, how often a release fails, and how long restoring takes. Pure.

Measures as in Forsgren, Humble and Kim 2018 (Accelerate). A release is one of these, and what is
one of them is counted there alone:

- `label`: `production` of a prompt goes to a version that is newer than the one before, or is put
  on a first one. Its idea is the version, from when it was written. It failed when the label goes
  back to an older version; that ends whichever release was in force.
- `alias`: an alias leads to a target or by a rule that it did not have the moment before, by a
  revision or by a pointer moved without one. Weights among the same targets, and targets that go,
  carry the release in force on; where an alias begins is none, unless it takes the name of what
  an experiment was won against. It failed when the alias leads again where it had led before that
  release, or when the first worker's watch took it back: then it was there from the start of that
  watch. Of an alias nothing says when the idea came, unless an experiment led to it: then it is
  when that was made.
- `experiment`: a start of an experiment on production traffic (any but one on another label) that
  was rolled back. It failed; its idea is when the experiment was made, and it was restored by the
  rollback. An experiment that was won is no release of its own: the label or alias that moves for
  it is, and names it. One that kept what was there, or was stopped, released nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from stockpot.evals.models import Lead, Release
from stockpot.evals.ports import Course, Move, Trial

_HOUR_MS = 3_600_000


def releases_of(
    moves: Sequence[Move], courses: Sequence[Course], trials: Sequence[Trial],
    from_ms: float, to_ms: float,
) -> list[Release]:  # fmt: skip
    """The releases of a window, newest first, out of all that ever happened, each oldest first.
    What took one of them back may lie after the window."""
    found = [*_of_labels(moves), *_of_aliases(courses, trials)]
    found = [*_joined(found, trials), *_of_trials(trials)]
    inside = (one for one in found if from_ms <= one.at_ms < to_ms)
    return sorted(inside, key=lambda one: one.at_ms, reverse=True)


def lead_of(hours: Sequence[float]) -> Lead:
    """Times in one: half took at most the median, nine of ten at most the 90th percentile."""
    if not hours:
        return Lead(n=0, median_hours=None, p90_hours=None)
    ranked = sorted(hours)
    p90 = ranked[math.ceil(0.9 * len(ranked)) - 1]
    return Lead(n=len(ranked), median_hours=statistics.median(ranked), p90_hours=p90)


def _hours(since_ms: float, until_ms: float) -> float:
    return max(0.0, until_ms - since_ms) / _HOUR_MS


def _failed(release: Release, restored_to: str, at_ms: float) -> Release:
    told = {"failed": True, "restored_to": restored_to,
            "restore_hours": _hours(release.at_ms, at_ms)}  # fmt: skip
    return release.model_copy(update=told)


def _of_labels(moves: Sequence[Move]) -> list[Release]:
    found: list[Release] = []
    live: dict[tuple[str, int], int] = {}
    for move in moves:
        if move.before is not None and move.after < move.before:
            place = live.pop((move.prompt, move.before), None)
            if place is not None:
                found[place] = _failed(found[place], str(move.after), move.at_ms)
            continue
        live[move.prompt, move.after] = len(found)
        found.append(
            Release(kind="label", name=move.prompt, after=str(move.after), at_ms=move.at_ms,
                    before=None if move.before is None else str(move.before),
                    lead_hours=_hours(move.made_ms, move.at_ms))
        )  # fmt: skip
    return found


class _Stand(NamedTuple):
    """Where an alias leads, and the place of the release that brought it there."""

    targets: frozenset[str]
    rules: str
    release: int | None


_NOTHING = frozenset[str]()


def _of_aliases(courses: Iterable[Course], trials: Sequence[Trial]) -> list[Release]:
    found: list[Release] = []
    stands: dict[str, list[_Stand]] = {}
    for course in courses:
        behind = stands.setdefault(course.alias, [])
        if not behind and course.targets and _won_before(course, trials):
            behind.append(_Stand(_NOTHING, "", None))
        if not behind:
            behind += [_Stand(course.targets, course.rules, None)] if course.targets else []
        elif course.tried_hours is not None:
            found += _tried(course, behind[-1])
        else:
            _turned(course, behind, found)
        if not course.targets:
            behind.clear()
    return found


def _won_before(course: Course, trials: Sequence[Trial]) -> bool:
    """Whether an alias begins because something won against what had its name."""
    return any(one.subject == course.alias and one.won_ms is not None
               and one.won_ms <= course.at_ms for one in trials)  # fmt: skip


def _tried(course: Course, stand: _Stand) -> Iterator[Release]:
    if _is_new(course, stand):
        made = _release(course, stand)
        until = course.at_ms + (course.tried_hours or 0.0) * _HOUR_MS
        yield _failed(made, _words(stand.targets), until)


def _turned(course: Course, behind: list[_Stand], found: list[Release]) -> None:
    """One turn of an alias, upon where it stood."""
    now, same = behind[-1], (course.targets, course.rules)
    if (now.targets, now.rules) == same:
        return
    earlier = next((n for n, one in enumerate(behind) if (one.targets, one.rules) == same), None)
    if earlier is not None:
        del behind[earlier + 1 :]
        if now.release is not None and now.release != behind[-1].release:
            back = _words(course.targets) or "what has its name"
            found[now.release] = _failed(found[now.release], back, course.at_ms)
        return
    release = now.release
    if _is_new(course, now):
        release = len(found)
        found.append(_release(course, now))
    behind.append(_Stand(course.targets, course.rules, release))


def _is_new(course: Course, stand: _Stand) -> bool:
    if not course.targets:
        return False
    return bool(course.targets - stand.targets) or course.rules not in ("", stand.rules)


def _release(course: Course, stand: _Stand) -> Release:
    return Release(kind="alias", name=course.alias, before=_words(stand.targets) or None,
                   after=_words(course.targets), at_ms=course.at_ms, lead_hours=None)  # fmt: skip


def _words(targets: frozenset[str]) -> str:
    return ", ".join(sorted(targets))  # of none: what has the name of an alias that went


def _of_trials(trials: Iterable[Trial]) -> Iterator[Release]:
    for trial in trials:
        for start_ms, back_ms in trial.backs:
            made = Release(kind="experiment", name=trial.name, before=trial.subject,
                           after=trial.tried, at_ms=start_ms, experiment=trial.name,
                           lead_hours=_hours(trial.made_ms, start_ms))  # fmt: skip
            yield _failed(made, trial.subject, back_ms)


def _joined(found: list[Release], trials: Iterable[Trial]) -> list[Release]:
    """The first release of what a won experiment was on, after it was won, is that experiment's."""
    joined = list(found)
    for trial in sorted(trials, key=lambda one: one.won_ms or 0.0):
        if trial.won_ms is None:
            continue
        mine = [(one.at_ms, place) for place, one in enumerate(joined) if _led_to(trial, one)]
        if not mine:
            continue
        place = min(mine)[1]
        told: dict[str, object] = {"experiment": trial.name}
        if joined[place].lead_hours is None:
            told["lead_hours"] = _hours(trial.made_ms, joined[place].at_ms)
        joined[place] = joined[place].model_copy(update=told)
    return joined


def _led_to(trial: Trial, one: Release) -> bool:
    if one.experiment is not None or one.at_ms < (trial.won_ms or 0.0):
        return False
    subject = f"{one.name}@production" if one.kind == "label" else one.name
    if subject != trial.subject:
        return False
    return trial.version is None or one.after == str(trial.version)
