"""Files and functions stay short enough to read in one go, and names say something."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
FILE_LINES = 600
FUNCTION_LINES = 35
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
LONGER_FOR_A_REASON = {"web/src/api/schema.d.ts": "generated from our OpenAPI document"}
"""`path` of a file or `path::function` -> why it is longer."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    """Source files under the folders: those that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    names = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    paths = (REPO / name for name in sorted(set(names.split("\0"))))
    return [p for p in paths if p.suffix in {".py", ".ts", ".tsx", ".css"} and p.is_file()]


def name_of(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def functions_in(node: ast.AST) -> Iterator[Function]:
    """Functions inside a node, without those inside them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child
        else:
            yield from functions_in(child)


def all_functions(node: ast.AST) -> Iterator[Function]:
    return (child for child in ast.walk(node) if isinstance(child, Function))


def length(function: Function) -> int:
    """Lines of the body; the docstring is free and a function inside counts for itself."""
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[documented:]
    if not body:
        return 0
    lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
    return lines - sum((f.end_lineno or 0) - f.lineno for f in functions_in(function))


def test_a_file_holds_one_idea() -> None:
    sizes = {
        name_of(path): len(path.read_text("utf-8").splitlines())
        for path in sources("src", "tests", "web/src", "scripts", "bench")
    }
    long = {name: size for name, size in sizes.items() if size > FILE_LINES}
    assert not {name: long[name] for name in long.keys() - LONGER_FOR_A_REASON}


def test_a_function_fits_one_look() -> None:
    long = {
        f"{name_of(path)}::{function.name}": length(function)
        for path in sources("src", "tests", "scripts", "bench")
        if path.suffix == ".py"
        for function in all_functions(ast.parse(path.read_text("utf-8")))
        if length(function) > FUNCTION_LINES
    }
    assert not {name: long[name] for name in long.keys() - LONGER_FOR_A_REASON}


def test_a_name_says_what_is_inside() -> None:
    paths = sources("src", "web/src", "tests", "scripts", "bench")
    names = {name_of(p) for p in paths if EMPTY_NAMES & {p.stem, p.parent.name}}
    assert not names


def test_length_counts_what_a_reader_reads() -> None:
    source = """
def f():
    'Doc.'
    a = 1

    def g():
        b = 2
        c = 3

    return a
"""
    outer, inner = all_functions(ast.parse(source))
    assert (length(outer), length(inner)) == (5, 2)
