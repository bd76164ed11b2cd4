"""The way from a demo to production as data: rungs, the needs of each, and what a risk tier asks.

The order is that of a hierarchy of needs: what stands above is worth little while something below
is missing. Whoever wants another way changes rows here.
"""

from __future__ import annotations

from typing import NamedTuple

from stockpot.usecases.models import NeedName, RiskTier, RungName


class RungRow(NamedTuple):
    """A rung and its needs, the most urgent first."""

    rung: RungName
    title: str
    about: str
    needs: tuple[NeedName, ...]


class NeedRow(NamedTuple):
    """A need in words, and the commands that bring it, in order, for a project that has nothing of
    it yet. `{project}`, the addresses and the model are filled in; what is written in capitals is
    the reader's to choose."""

    title: str
    mend: tuple[str, ...]


RUNGS: tuple[RungRow, ...] = (
    RungRow("demo", "Demo", "It runs, and what it does is seen.", ("traffic",)),
    RungRow(
        "accountable", "Accountable",
        "Somebody answers for it, for what it says and for what it costs.",
        ("owner", "prompt", "budget"),
    ),
    RungRow(
        "measured", "Measured", "Whether it is good is a figure, and users have a say.",
        ("dataset", "gate", "feedback"),
    ),
    RungRow(
        "guarded", "Guarded", "What it may not do is stopped, and its judges are trusted.",
        ("rails", "judge"),
    ),
    RungRow(
        "production", "Production", "It is watched, and the way back is known.",
        ("slo", "watched", "rollback"),
    ),
)  # fmt: skip

NEEDS: dict[NeedName, NeedRow] = {
    "traffic": NeedRow(
        "Calls are recorded",
        (
            "stockpot keys create --name my-app --project {project}",
            "curl {gateway}/v1/chat/completions -H 'authorization: Bearer KEY' "
            "-H 'content-type: application/json' "
            """-d '{{"model": "{model}", "messages": [{{"role": "user", "content": "hello"}}]}}'""",
        ),
    ),
    "owner": NeedRow("It has an owner", ("stockpot projects change {project} --owner EMAIL",)),
    "prompt": NeedRow(
        "A prompt's version is pinned",
        ("stockpot prompts create PROMPT --text TEXT --label production --project {project}",),
    ),
    "budget": NeedRow(
        "It has a budget", ("stockpot projects change {project} --budget 50 --period month",)
    ),
    "dataset": NeedRow(
        "A data set is large enough",
        (
            "stockpot datasets create SET --project {project}",
            "stockpot datasets import SET FILE --project {project}",
        ),
    ),
    "gate": NeedRow("A gate was passed", ("stockpot eval run SUITE --gate --project {project}",)),
    "feedback": NeedRow(
        "Users' feedback comes in",
        (
            "curl {console}/api/v1/feedback -H 'authorization: Bearer KEY' "
            "-H 'content-type: application/json' "
            """-d '{{"trace_id": "TRACE", "thumb": "up"}}'""",
        ),
    ),
    "rails": NeedRow(
        "Rails are on",
        (
            "stockpot guardrails policies apply FILE --project {project}",
            "stockpot guardrails bind POLICY --project {project}",
        ),
    ),
    "judge": NeedRow(
        "A judge is certified",
        ("stockpot eval judges certify JUDGE --dataset SET --project {project}",),
    ),
    "slo": NeedRow(
        "An objective alerts somebody",
        (
            "stockpot monitors channels add CHANNEL --url URL --project {project}",
            "stockpot monitors create slo --slo 99.9 --channel CHANNEL --project {project}",
        ),
    ),
    "watched": NeedRow(
        "Answers are scored or checked on a schedule",
        ("stockpot canaries apply FILE --project {project}",),
    ),
    "rollback": NeedRow(
        "The way back was rehearsed",
        (
            "stockpot prompts create PROMPT --text TEXT --label staging --project {project}",
            "stockpot prompts edit PROMPT --text TEXT --project {project}",
            "stockpot prompts label PROMPT staging --project {project}",
            "stockpot prompts rollback PROMPT staging --project {project}",
        ),
    ),
}

REQUIRED: dict[RiskTier, RungName] = {
    "low": "accountable",
    "medium": "guarded",
    "high": "production",
}
"""The rung on which a release has to stand."""

ROWS_NEEDED: dict[RiskTier, int] = {"low": 20, "medium": 50, "high": 100}
"""How many rows a data set has to have."""

FEEDBACK_NEEDED: dict[RiskTier, int] = {"low": 1, "medium": 10, "high": 30}
"""How many times users have to have said something in the last 30 days."""

RECENT_MS = 30 * 86_400_000
"""Traffic, feedback and scores older than these 30 days are no evidence."""

REHEARSED_MS = 180 * 86_400_000
"""A way back that was gone more than half a year ago is forgotten."""

WAIVED_AT_MOST_MS = 366 * 86_400_000
