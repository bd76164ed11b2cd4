"""Known results come out of the recorded data again, to the digit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.reproduce import figures

DATA = os.environ.get("STOCKPOT_TEST_DATA", "")


@pytest.mark.recorded_data
def test_recorded_results_are_reproduced_to_the_digit() -> None:
    found = {f.name: round(f.value, f.digits) for f in figures(Path(DATA))}
    assert found == {
        "tau-bench airline pass^1": 0.42,
        "tau-bench airline pass^4": 0.20,
        "tau-bench airline clustered SE": 0.052,
        "LLMBar GPT-4 Vanilla accuracy": 0.845,
        "LLMBar ChatGPT Vanilla accuracy": 0.400,
        "LLMBar PaLM2 Vanilla accuracy": 0.705,
        "BBQ Age ambiguous bias (UnifiedQA)": 0.43,
    }
