"""Records that are made unchecked are the same as those that are checked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from stockpot.evals import store
from stockpot.evals.models import Result, Row, Usage, Verdict
from stockpot.evals.records import Judgement
from stockpot.evals.trusted import trusted


def test_it_is_equal_to_a_checked_record_and_says_the_same() -> None:
    told = {"item": "r1", "output": "leek", "slices": ("lang=de",), "usage": Usage(output=3),
            "scores": {"exact": trusted(Verdict, {"value": 1.0})}}  # fmt: skip
    made, checked = trusted(Result, told), Result.model_validate(told)
    assert made == checked
    assert made.model_dump_json(exclude_defaults=True) == checked.model_dump_json(
        exclude_defaults=True
    )
    assert made.model_copy(update={"item": "r2"}).item == "r2"
    with pytest.raises(ValidationError, match="frozen"):
        made.item = "other"


def test_two_records_share_no_value_that_could_change() -> None:
    one, other = trusted(Row, {"id": "a"}), trusted(Row, {"id": "b"})
    one.metadata["lang"] = "de"
    assert other.metadata == {}


def test_a_kept_result_comes_back_as_it_was_with_what_judges_said() -> None:
    judgement = Judgement(item="r1", label="good", value=1.0)
    result = Result(
        item="r1", output="leek", slices=("lang=de",), usage=Usage(input=1), cost_nano=5,
        scores={"exact": Verdict(value=0.0, reason="no"),
                "judge": Verdict(value=1.0, label="good", judgement=judgement)},
    )  # fmt: skip
    assert store._result(store.unpacked(store._pack_result(result))) == result
