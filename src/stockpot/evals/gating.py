"""Whether a run may be released. Pure: a run, its base, their results and the rules.

A metric without a rule may not regress: it fails when it is worse with the confidence asked for,
after the adjustment for all checks. With a margin it fails unless the interval shows that it is at
most so much worse. Bounds are looked at as they are. A judge without a valid certificate may inform
and never gate: its metrics are left out with a warning, and a rule that names one is refused.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from stockpot.evals.comparing import Pairs, case_differences, compared, paired, warnings_of
from stockpot.evals.measuring import Metric
from stockpot.evals.models import (
    CaseDifference,
    Compared,
    GateCase,
    GateCheck,
    GateResult,
    GateSpec,
    Measured,
    Result,
    Rule,
    Run,
)
from stockpot.traces import Badge

_NAMED = 50


def decided(
    run: Run,
    results: Sequence[Result],
    base: Run | None,
    base_results: Sequence[Result],
    metrics: Mapping[str, Metric],
    spec: GateSpec,
    badges: Mapping[str, Badge] | None = None,
) -> GateResult:
    """The gate's word on a run. `badges` are the certificates of the judges among its metrics."""
    informing = {name: badge for name, badge in (badges or {}).items() if not badge.may_gate}
    metrics = {name: one for name, one in metrics.items() if name not in informing}
    checks: list[GateCheck] = []
    cases: tuple[CaseDifference, ...] = ()
    warnings: tuple[str, ...] = ()
    if base is not None:
        pairs = paired(base_results, results)
        checks += _against(pairs, metrics, spec)
        cases = case_differences(pairs, metrics)
        warnings = warnings_of(base, run, pairs)
        if not pairs.candidate:
            checks.append(_no_pairs(base))
    checks += _bounds([one for one in run.metrics if one.metric not in informing], spec)
    checks += [_refused(name, badge) for name, badge in informing.items() if name in spec.metrics]
    warnings += tuple(_left_out(n, b) for n, b in informing.items() if n not in spec.metrics)
    if informing and not metrics:
        checks.append(_nothing_left())
    checks.append(_errors(run, spec))
    unknown = [
        name
        for name in spec.metrics
        if name not in informing and all(m.metric != name for m in run.metrics)
    ]
    checks += [_unmeasured(name) for name in unknown]
    return GateResult(
        passed=all(check.passed for check in checks), run=run.id,
        base=base.id if base else None, confidence=spec.confidence,
        checks=tuple(_beside(check, badges or {}) for check in checks),
        cases=_named(cases, checks, results), warnings=warnings, decided_ms=time.time() * 1000,
    )  # fmt: skip


def _against(pairs: Pairs, metrics: Mapping[str, Metric], spec: GateSpec) -> list[GateCheck]:
    margins = {name: rule.margin for name, rule in spec.metrics.items() if rule.margin is not None}
    rows = compared(pairs, metrics, confidence=spec.confidence, margins=margins)
    return [_check(row, spec) for row in rows if _is_asked(row, spec.metrics.get(row.metric))]


def _is_asked(row: Compared, rule: Rule | None) -> bool:
    # Time and money vary from run to run by themselves: they count where a rule names them. What
    # is bounded alone needs no base.
    if rule is None:
        return row.unit not in ("ms", "nano")
    return rule.margin is not None or (rule.minimum is None and rule.maximum is None)


def _check(row: Compared, spec: GateSpec) -> GateCheck:
    passed = row.non_inferior if row.margin is not None and not row.slice else (
        row.verdict != "worse"
    )  # fmt: skip
    rule = f"at most {row.margin:g} worse" if row.margin is not None and not row.slice else (
        "no regression"
    )  # fmt: skip
    where = f"{row.metric} on {row.slice}" if row.slice else row.metric
    interval = "" if row.low is None else f" [{row.low:+.4g}, {row.high:+.4g}]"
    words = (
        f"{where}: {row.base:.4g} -> {row.candidate:.4g}, difference {row.difference:+.4g}"
        f"{interval}, p {row.p_adjusted:.3g} ({row.test}, n={row.n})"
    )
    return GateCheck(
        metric=row.metric, slice=row.slice, rule=rule, passed=bool(passed), base=row.base,
        candidate=row.candidate, difference=row.difference, low=row.low, high=row.high,
        p=row.p_adjusted, words=words,
    )  # fmt: skip


def _bounds(metrics: Sequence[Measured], spec: GateSpec) -> list[GateCheck]:
    found = []
    for one in metrics:
        rule = spec.metrics.get(one.metric)
        if rule is None or one.slice:
            continue
        for bound, holds, word in (
            (rule.minimum, rule.minimum is None or one.value >= rule.minimum, "at least"),
            (rule.maximum, rule.maximum is None or one.value <= rule.maximum, "at most"),
        ):
            if bound is not None:
                words = f"{one.metric}: {one.value:.4g}, asked for {word} {bound:g}"
                found.append(_plain(one.metric, f"{word} {bound:g}", holds, one.value, words))
    return found


def _refused(name: str, badge: Badge) -> GateCheck:
    words = (
        f"{name}: {badge.judge} is {badge.state} ({badge.words}); it may inform, never gate. "
        "Certify it, or take its rule out of the gate"
    )
    return _plain(name, "is judged by a certified judge", False, 0.0, words)


def _left_out(name: str, badge: Badge) -> str:
    return (
        f"{name} decided nothing: {badge.judge} is {badge.state} ({badge.words}), and such a judge "
        "may inform, never gate."
    )


def _nothing_left() -> GateCheck:
    words = "every metric is of a judge without a valid certificate: nothing is left to decide by"
    return _plain("judges", "something may decide", False, 0.0, words)


def _beside(check: GateCheck, badges: Mapping[str, Badge]) -> GateCheck:
    badge = badges.get(check.metric)
    return check if badge is None else check.model_copy(update={"badge": badge})


def _errors(run: Run, spec: GateSpec) -> GateCheck:
    share = run.progress.failed / run.progress.rows if run.progress.rows else 1.0
    passed = share <= spec.max_errors and run.progress.done == run.progress.rows
    words = f"{run.progress.failed} of {run.progress.rows} rows failed"
    if run.progress.done < run.progress.rows:
        words += f", {run.progress.rows - run.progress.done} are not done"
    return _plain("errors", f"at most {spec.max_errors:g}", passed, share, words)


def _unmeasured(name: str) -> GateCheck:
    return _plain(name, "is measured", False, 0.0, f"{name}: no row has a score of it")


def _no_pairs(base: Run) -> GateCheck:
    return _plain("rows", "has rows in common", False, 0.0, f"no row is also in {base.id}")


def _plain(metric: str, rule: str, passed: bool, value: float, words: str) -> GateCheck:
    return GateCheck(
        metric=metric, slice="", rule=rule, passed=passed, base=None, candidate=value,
        difference=None, low=None, high=None, p=None, words=words,
    )  # fmt: skip


def _named(
    cases: Sequence[CaseDifference], checks: Sequence[GateCheck], results: Sequence[Result]
) -> tuple[GateCase, ...]:
    """The rows that speak against a release: what got worse in a failed metric, then what failed
    altogether."""
    failed = {check.metric for check in checks if not check.passed}
    named = [
        GateCase(
            item=case.item, metric=case.metric, base=case.base.value,
            candidate=case.candidate.value, reason=case.candidate.reason,
            trace_id=case.candidate_trace,
        )
        for case in cases
        if case.change == "worse" and case.metric in failed
    ]  # fmt: skip
    if not named:
        named = [
            GateCase(
                item=one.item, metric=name, base=None, candidate=verdict.value,
                reason=verdict.reason, trace_id=one.trace_id,
            )
            for one in results
            for name, verdict in one.scores.items()
            if name in failed and verdict.value == 0.0
        ]  # fmt: skip
    if "errors" in failed:
        named += [
            GateCase(
                item=one.item, metric="errors", base=None, candidate=None, reason=one.error[:300],
                trace_id=one.trace_id,
            )
            for one in results
            if one.error
        ]  # fmt: skip
    return tuple(named[:_NAMED])
