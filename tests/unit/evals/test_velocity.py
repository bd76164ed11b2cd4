"""What counts as a release, when one failed, and how long things took."""

from __future__ import annotations

from stockpot.evals.ports import Course, Move, Trial
from stockpot.evals.velocity import lead_of, releases_of

HOUR = 3_600_000.0


def course(
    alias: str, *targets: str, at: float, rules: str = "", tried: float | None = None
) -> Course:
    return Course(alias, frozenset(targets), rules, at * HOUR, tried)


def test_lead_times_are_those_of_moves_to_production() -> None:
    hour = 3_600_000.0
    moves = [
        Move("menu", None, 1, 10 * hour, 8 * hour),
        Move("menu", 1, 2, 20 * hour, 16 * hour),
        Move("menu", 2, 1, 21 * hour, 8 * hour),  # taken back
        Move("till", None, 1, 30 * hour, 29 * hour),
    ]
    till, second, first = releases_of(moves, [], [], 0, 100 * hour)
    assert [(one.name, one.after) for one in (first, second, till)] == [
        ("menu", "1"), ("menu", "2"), ("till", "1")
    ]  # fmt: skip
    assert (first.lead_hours, second.lead_hours, till.lead_hours) == (2.0, 4.0, 1.0)
    assert (second.failed, second.restored_to, second.restore_hours) == (True, "1", 1.0)
    assert (first.failed, till.failed) == (False, False)
    lead = lead_of([one.lead_hours or 0.0 for one in (first, second, till)])
    assert (lead.n, lead.median_hours, lead.p90_hours) == (3, 2.0, 4.0)


def test_a_release_counts_where_it_was_made_and_fails_whenever_it_is_taken_back() -> None:
    moves = [
        Move("menu", None, 1, 10, 0),
        Move("menu", 1, 2, 20, 0),
        Move("menu", 2, 1, 40, 0),
        Move("menu", 1, 2, 50, 0),
    ]
    assert [(one.at_ms, one.failed) for one in releases_of(moves, [], [], 15, 30)] == [(20, True)]
    assert [(one.at_ms, one.failed) for one in releases_of(moves, [], [], 30, 60)] == [(50, False)]
    moves += [Move("menu", 2, 3, 60, 0), Move("menu", 3, 2, 70, 0), Move("menu", 2, 1, 80, 0)]
    again = releases_of(moves, [], [], 30, 90)  # step by step, to what was there before both
    assert [(one.at_ms, one.restored_to) for one in again] == [(60, "2"), (50, "1")]
    assert lead_of([]).median_hours is None
    assert lead_of([float(n) for n in range(1, 11)]).p90_hours == 9.0


def test_an_alias_is_released_where_it_leads_to_something_new_and_failed_if_it_goes_back() -> None:
    turns = [
        course("fast", "a/1", at=1),  # here it begins
        course("fast", "a/1", "b/2", at=2),
        course("fast", "b/2", at=3),  # the rest of the same release
        course("fast", "a/1", at=5),  # taken back
        course("fast", "c/3", at=6, tried=0.5),  # the first worker's watch took it back
        course("fast", "a/1", at=7, rules="all"),
        course("wise", "a/1", at=8),
        course("fast", at=9),
        course("fast", "z/9", at=10),  # it begins anew
    ]
    found = releases_of([], turns, [], 0, 100 * HOUR)
    assert [(one.at_ms / HOUR, one.before, one.after, one.failed) for one in found] == [
        (7, "a/1", "a/1", False), (6, "a/1", "c/3", True), (2, "a/1", "a/1, b/2", True),
    ]  # fmt: skip
    assert [(one.restored_to, one.restore_hours) for one in found[1:]] == [("a/1", 0.5), ("a/1", 3)]
    assert {one.lead_hours for one in found} == {None}


def test_an_experiment_that_moves_something_is_one_release_and_one_rolled_back_is_another() -> None:
    moves = [
        Move("menu", None, 1, 1 * HOUR, 0),
        Move("menu", 1, 2, 10 * HOUR, 2 * HOUR),
        Move("menu", 2, 3, 20 * HOUR, 19 * HOUR),
    ]
    turns = [course("fast", "a/1", at=1), course("fast", "b/2", at=9), course("m", "b/2", at=12)]
    trials = [
        Trial("words", "menu@production", "menu@2", 3 * HOUR, ((4 * HOUR, 6 * HOUR),), 9 * HOUR, 2),
        Trial("model", "fast", "wise", 5 * HOUR, (), 8 * HOUR),
        Trial("route", "m", "wise", 6 * HOUR, (), 11 * HOUR),  # a model's name becomes an alias
        Trial("kept", "till@production", "till@2", 3 * HOUR),
    ]
    found = releases_of(moves, turns, trials, 0, 100 * HOUR)
    told = [(one.kind, one.at_ms / HOUR, one.experiment, one.lead_hours) for one in found]
    assert told == [
        ("label", 20, None, 1), ("alias", 12, "route", 6), ("label", 10, "words", 8),
        ("alias", 9, "model", 4), ("experiment", 4, "words", 1), ("label", 1, None, 1),
    ]  # fmt: skip
    assert [(one.kind, one.restore_hours) for one in found if one.failed] == [("experiment", 2)]
