"""A rung is reached when everything on it and below is settled; the risk decides how high."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stockpot.catalog import Project
from stockpot.usecases.finding import FINDERS
from stockpot.usecases.models import NeedFound, Waiver
from stockpot.usecases.service import told
from stockpot.usecases.table import FEEDBACK_NEEDED, NEEDS, REQUIRED, ROWS_NEEDED, RUNGS

ORDER = [row.rung for row in RUNGS]


def project(risk: str) -> Project:
    return Project.model_validate(
        {"id": "prj_1", "name": "menu", "owner": "", "description": "", "archetype": "prompt",
         "domain": "", "stage": "crawl", "risk_tier": risk, "target_metric": "",
         "environments": (), "limits": {}, "budget": None, "payloads": "full", "created_ms": 1}
    )  # fmt: skip


def found(need: str, *, met: bool, waived: bool = False) -> NeedFound:
    waiver = Waiver(
        id="w", project="menu", need=need, reason="later", until_ms=9, created_ms=1, created_by="a"
    )  # type: ignore[arg-type]
    return NeedFound(
        need=need,
        title=need,
        met=met,
        waived=waiver if waived else None,
        found="",
        link="",
        mend="",
    )  # type: ignore[arg-type]


def test_every_need_stands_on_one_rung_and_has_evidence_and_a_mend() -> None:
    placed = [need for row in RUNGS for need in row.needs]
    assert sorted(placed) == sorted(NEEDS) == sorted(FINDERS)
    assert len(set(placed)) == len(placed)
    assert all(row.mend[0].startswith(("stockpot ", "curl ")) for row in NEEDS.values())


def test_a_higher_risk_asks_for_no_less() -> None:
    tiers = ("low", "medium", "high")
    asked = [ORDER.index(REQUIRED[tier]) for tier in tiers]
    assert asked == sorted(set(asked))
    for table in (ROWS_NEEDED, FEEDBACK_NEEDED):
        assert [table[tier] for tier in tiers] == sorted(table.values())


@given(
    st.sampled_from(["low", "medium", "high"]),
    st.sets(st.sampled_from(sorted(NEEDS))),
    st.sets(st.sampled_from(sorted(NEEDS))),
)
def test_what_is_missing_below_keeps_every_rung_above_from_being_reached(
    risk: str, met: set[str], waived: set[str]
) -> None:
    needs = {need: found(need, met=need in met, waived=need in waived) for need in NEEDS}
    report = told(project(risk), needs, 1)
    settled = met | waived
    whole = [set(row.needs) <= settled for row in RUNGS]
    height = next((n for n, ok in enumerate(whole) if not ok), len(whole))
    assert [rung.reached for rung in report.rungs] == [n < height for n in range(len(whole))]
    assert report.current == (ORDER[height - 1] if height else None)
    assert report.next == (ORDER[height] if height < len(ORDER) else None)
    assert report.ready == (height > ORDER.index(REQUIRED[report.risk_tier]))
    missing = set(RUNGS[height].needs) - settled if report.next else set()
    assert {need.need for need in report.blocks} == missing
