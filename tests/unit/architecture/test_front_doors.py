"""Every module says what it is; every capability has a front door that names what it offers."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3] / "src/stockpot"
A_SENTENCE = 15
WITHOUT_A_DOOR = {"core", "up", "bench"}
"""The fronts of `core` are its submodules; the others are entered by commands alone."""


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_a_module_opens_by_saying_what_it_is() -> None:
    silent = [
        name_of(path)
        for path in SOURCE.rglob("*.py")
        if len(ast.get_docstring(parsed(path)) or "") < A_SENTENCE
    ]
    assert not silent


def test_a_front_door_names_all_that_it_offers() -> None:
    nameless = [
        name_of(door)
        for door in SOURCE.glob("*/__init__.py")
        if door.parent.name not in WITHOUT_A_DOOR
        and not any(
            isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            for node in parsed(door).body
        )
    ]
    assert not nameless
