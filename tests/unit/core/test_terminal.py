"""Tables keep to the width of a screen, and are whole everywhere else."""

from __future__ import annotations

import io
import sys

import pytest

from stockpot.core.terminal import show

ROWS = [{"name": "soup", "said": "warm " * 30}, {"name": "bread", "said": "fresh"}]


@pytest.mark.parametrize(("screen", "columns", "widest"), [(True, 40, 40), (False, 40, 156)])
def test_the_last_column_is_cut_on_a_screen_only(
    screen: bool, columns: int, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Out(io.StringIO):
        def isatty(self) -> bool:
            return screen

    monkeypatch.setattr(sys, "stdout", out := Out())
    monkeypatch.setenv("COLUMNS", str(columns))
    told = (("NAME", lambda row: row["name"]), ("SAID", lambda row: row["said"].strip()))
    show(ROWS, told, as_json=False, empty="")
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) == widest
    assert lines[1].endswith("…") == screen
    assert lines[2] == "bread  fresh"
