"""What the evidence says of each need. Pure but for asking; one function for each need.

A function gives whether the need is met, what was found in words, and the search parameters of the
console's page where it stands. Knows evidence; knows no rung and no waiver.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

from stockpot.catalog import Project
from stockpot.core.dollars import dollars
from stockpot.core.errors import NotFound
from stockpot.evals import Run
from stockpot.monitors import BurnRateRule
from stockpot.prompts import PRODUCTION, PromptSummary
from stockpot.usecases.models import NeedName
from stockpot.usecases.ports import Evidence
from stockpot.usecases.table import FEEDBACK_NEEDED, RECENT_MS, REHEARSED_MS, ROWS_NEEDED


class Found(NamedTuple):
    """What stands for or against a need. `link` is a path in the console; `mend` are the commands
    that bring what is missing, those of the table where there is nothing yet."""

    met: bool
    words: str
    link: str
    mend: tuple[str, ...] = ()


Finder = Callable[[Evidence, Project, float], Awaitable[Found]]


def _page(page: str, project: Project, **search: str) -> str:
    return f"/{page}?{urlencode({**search, 'project': project.name})}"


def _commands(project: Project, *told: str) -> tuple[str, ...]:
    return tuple(f"stockpot {one} --project {project.name}" for one in told)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


async def traffic(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """Calls in the span log."""
    said = await evidence.traffic(project.name, now_ms - RECENT_MS)
    words = f"{_many(said.calls, 'call')} in 30 days"
    return Found(said.calls > 0, words, _page("traces", project))


async def owner(_: Evidence, project: Project, now_ms: float) -> Found:
    """Who answers for it."""
    words = project.owner or "nobody is named"
    return Found(bool(project.owner.strip()), words, _page("settings", project))


async def prompt(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """A label `production` that points at a version."""
    found = await evidence.prompts(project.name)
    pinned = [(p.name, x.version) for p in found for x in p.labels if x.label == PRODUCTION]
    if not pinned:
        words = f"{_many(len(found), 'prompt')}, none with the label {PRODUCTION}"
        mend = _commands(project, *[f"prompts label {p.name} {PRODUCTION}" for p in found[:1]])
        return Found(False, words, _page("prompts", project), mend)
    name, version = pinned[0]
    more = f" and {len(pinned) - 1} more" if len(pinned) > 1 else ""
    words = f"{PRODUCTION} of {name} is version {version}{more}"
    return Found(True, words, _page(f"prompts/{quote(name)}", project, prompt_part="labels"))


async def budget(_: Evidence, project: Project, now_ms: float) -> Found:
    """A cap on what it costs."""
    held = project.budget
    words = "none" if held is None else f"{dollars(held.spec.limit_nano)} a {held.spec.period}"
    return Found(held is not None, words, _page("cost", project))


async def dataset(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """Rows enough in one data set."""
    needed = ROWS_NEEDED[project.risk_tier]
    rows = [(d.version.rows, d.name) for d in await evidence.datasets(project.name) if d.version]
    if not rows:
        words = f"no data set with rows; {needed} are needed at risk {project.risk_tier}"
        return Found(False, words, _page("datasets", project))
    most, name = max(rows)
    words = f"{name} has {_many(most, 'row')}, {needed} are needed at risk {project.risk_tier}"
    said = await evidence.traffic(project.name, now_ms - RECENT_MS)
    enough = said.calls >= needed
    more = f"from-traces {name} --limit {needed}" if enough else f"import {name} FILE"
    mend = _commands(project, f"datasets {more}")
    return Found(most >= needed, words, _page("datasets", project, set=name), mend)


async def gate(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """The newest decided run of some suite passed, for the version in production if there is
    one."""
    newest: dict[str, Run] = {}
    name = project.name
    for run in await evidence.runs(name):
        if run.gate is not None:
            newest.setdefault(run.suite, run)
    if not newest:
        known = _commands(project, *[f"eval run {n} --gate" for n in await evidence.suites(name)])
        return Found(False, "no run was put to a gate", _page("evals", project), known[:1])
    passed = [run for run in newest.values() if run.gate and run.gate.passed]
    run = (passed or list(newest.values()))[0]
    words = f"{run.suite} {'passed' if passed else 'did not pass'}"
    if prompt_name := run.arm.get("prompt"):
        words += f" with {prompt_name}@{run.arm.get('prompt_version')}"
    mend = _commands(project, f"eval run {run.suite} --gate")
    return Found(bool(passed), words, _page("evals", project, run=run.id), mend)


async def feedback(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """What users said lately."""
    said = await evidence.traffic(project.name, now_ms - RECENT_MS)
    needed = FEEDBACK_NEEDED[project.risk_tier]
    words = (
        f"{_many(said.feedback, 'answer')} rated in 30 days, {needed} needed "
        f"at risk {project.risk_tier}"
    )
    return Found(said.feedback >= needed, words, _page("feedback", project))


async def rails(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """A policy of rails that acts."""
    found = await evidence.rails(project.name)
    if found is None:
        return Found(False, "there is no policy", _page("guardrails", project))
    if not found.bound:
        words = f"policy {found.policy} is bound to no project, route or key, so it meets no call"
        mend = _commands(project, f"guardrails bind {found.policy}")
        return Found(False, words, _page("guardrails", project), mend)
    words = f"{found.policy}: {_many(found.rails, 'rail')} that act"
    return Found(found.rails > 0, words, _page("guardrails", project))


async def judge(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """A judge whose agreement with people is known."""
    found = await evidence.judge(project.name)
    if found is None:
        return Found(False, "no judge holds a certificate in force", _page("judges", project))
    words = (
        f"{found.judge}: kappa {found.kappa:.2f}, at least {found.kappa_low:.2f}, "
        f"on {_many(found.labels, 'label')}"
    )
    return Found(True, words, _page("judges", project))


async def slo(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """A burn rate that tells somebody."""
    found = await evidence.monitors(project.name)
    rated = [m for m in found if m.enabled and isinstance(m.rule, BurnRateRule)]
    telling = [monitor for monitor in rated if monitor.channels]
    if telling:
        rule = telling[0].rule
        assert isinstance(rule, BurnRateRule)
        words = f"{telling[0].name}: {rule.objective:.3%} of {rule.indicator}"
        return Found(True, words, _page("monitors", project, monitor=telling[0].id))
    if not rated:
        return Found(False, "no objective is watched", _page("monitors", project))
    words = f"{rated[0].name} watches an objective and tells nobody: it has no channel"
    mend = _commands(project, "monitors channels add CHANNEL --url URL")
    mend += (f"stockpot monitors change {rated[0].id} --channel CHANNEL",)
    return Found(False, words, _page("monitors", project), mend)


async def watched(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """Something that looks at answers again and again."""
    found = await evidence.checks(project.name)
    words = ", ".join(found[:3]) or "no online rule, drift check or canary ran by its schedule"
    return Found(bool(found), words, _page("pipelines", project))


async def rollback(evidence: Evidence, project: Project, now_ms: float) -> Found:
    """A label that was moved back to a version it had been at before."""
    since = now_ms - REHEARSED_MS
    prompts = await evidence.prompts(project.name)
    for one in prompts:
        try:
            moves = await evidence.moves(project.name, one.name)
        except NotFound:  # removed meanwhile
            continue
        for at, move in enumerate(moves):
            before = {m.after for m in moves[at + 1 :] if m.label == move.label}
            if move.at_ms >= since and move.after != move.before and move.after in before - {None}:
                days = int((now_ms - move.at_ms) // 86_400_000)
                words = (
                    f"{move.label} of {one.name} went back from {move.before} to {move.after} "
                    f"{_many(days, 'day')} ago"
                )
                link = _page(f"prompts/{quote(one.name)}", project, prompt_part="labels")
                return Found(True, words, link)
    words = "no label was moved back in half a year"
    return Found(False, words, _page("prompts", project), _rehearsal(project, prompts))


def _rehearsal(project: Project, prompts: Sequence[PromptSummary]) -> tuple[str, ...]:
    """Forward and back again, where nobody is served."""
    if not prompts:
        return ()
    one = max(prompts, key=lambda prompt: prompt.latest)
    second = (f"prompts edit {one.name} --text TEXT",) if one.latest == 1 else ()
    before = max(1, one.latest - 1)
    steps = (f"label {one.name} staging {before}", f"label {one.name} staging {before + 1}",
             f"rollback {one.name} staging")  # fmt: skip
    return _commands(project, *second, *(f"prompts {step}" for step in steps))


FINDERS: dict[NeedName, Finder] = {
    "traffic": traffic, "owner": owner, "prompt": prompt, "budget": budget, "dataset": dataset,
    "gate": gate, "feedback": feedback, "rails": rails, "judge": judge, "slo": slo,
    "watched": watched, "rollback": rollback,
}  # fmt: skip
