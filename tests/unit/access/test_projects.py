"""Who is refused in a project, and what they learn of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import stockpot
from stockpot.access import Principal, demand_project, no_project
from stockpot.core.errors import Forbidden, NotFound

KNOWN = ("", "menu", "wine-list")


def _somebody(role: str = "own", **grants: str) -> Principal:
    return Principal.model_validate(
        {"user_id": "usr_1", "label": "Ada", "role": role, "via": "token", "grants": grants}
    )


def test_who_has_the_role_comes_in_and_the_instance_itself_always() -> None:
    demand_project(_somebody(menu="editor"), "editor", "menu", KNOWN)
    demand_project(_somebody("admin"), "admin", "", KNOWN)
    demand_project(None, "admin", "menu", KNOWN)


def test_a_lower_role_is_refused_by_name_and_an_absent_project_is_absent_for_everybody() -> None:
    with pytest.raises(Forbidden, match=r"'editor' in the project 'menu'; 'Ada' has 'viewer'"):
        demand_project(_somebody(menu="viewer"), "editor", "menu", KNOWN)
    for somebody in (None, _somebody("admin"), _somebody("viewer")):
        with pytest.raises(NotFound, match=r"^no project 'menue'\. Did you mean 'menu'\?"):
            demand_project(somebody, "editor", "menue", KNOWN)


def test_a_project_that_is_closed_to_somebody_is_told_like_one_that_is_not_there() -> None:
    told = []
    for name in ("wine-list", "wine-lisp"):
        with pytest.raises(NotFound) as refused:
            demand_project(_somebody(menu="admin"), "viewer", name, KNOWN)
        told.append(refused.value.message.replace(name, "X"))
    assert told == ["no project 'X'.", "no project 'X'."]
    assert no_project("menu").message == "no project 'menu'"


def test_the_words_for_an_absent_project_stand_in_one_place() -> None:
    """So that they cannot come to differ, or to name projects that somebody may not see."""
    root = Path(stockpot.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if re.search(r"NotFound\(\s*f?\"no (such )?project", path.read_text())
    }
    assert found == {"access/guard.py"}
