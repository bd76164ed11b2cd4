"""Lines of faults in a file, and comments that survive an export."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.core.errors import InvalidInput
from stockpot.revisions import Faults, parsed, written

TEXT = """\
# the team's file
base = 4

[aliases.fast]   # for chat
attempts = 2
targets = [
  {provider = "lab", model = "m"},
  # the other one
  {provider = "lab", modle = "n"},
]

[keys."my app"]

# as agreed in May
limits = {rpm = 5, tmp = 7}
[projects]
menu = {owner = "ana"}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("base",), 2),
        (("aliases", "fast"), 4),
        (("aliases", "fast", "attempts"), 5),
        (("aliases", "fast", "targets"), 6),
        (("aliases", "fast", "targets", 1, "modle"), 9),
        (("keys", "my app"), 12),
        (("keys", "my app", "limits", "tmp"), 15),
        (("projects", "menu", "owner"), 17),
        (("keys", "my app", "limits", "not there"), 15),
    ],
)
def test_the_line_of_a_key_is_found(path: tuple[str | int, ...], line: int) -> None:
    assert Faults(TEXT).line_of(path) == line


def test_without_a_text_there_is_no_line() -> None:
    assert Faults(None).line_of(("base",)) is None


def test_what_is_not_toml_is_told_with_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"line [23]"):
        parsed("a = 1\nb = [\n= 3")


def test_a_large_file_is_searched_quickly() -> None:
    text = "".join(f"[keys.k{n}]\nlimits = {{rpm = {n}}}\n" for n in range(3000))
    assert Faults(text).line_of(("keys", "k2500", "limits", "rpm")) == 5002


def test_comments_and_layout_survive_where_the_entry_does() -> None:
    tables = {
        "aliases": {"fast": {"attempts": 3, "targets": [{"provider": "lab", "model": "m"}]}},
        "keys": {"my app": {"limits": {"rpm": 5}}, "other": {"project": "menu"}},
    }
    text = written(tables, TEXT, base=9)
    for comment in ("# the team's file", "# for chat", "# as agreed in May"):
        assert comment in text
    read = tomllib.loads(text)
    assert read == {**tables, "base": 9, "projects": {"menu": {"owner": "ana"}}}


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8
)
SCALARS = st.one_of(st.integers(-(2**60), 2**60), st.booleans(), NAMES)
INLINE = st.dictionaries(NAMES, SCALARS, max_size=3)
FIELDS: Any = st.dictionaries(
    NAMES, st.one_of(SCALARS, INLINE, st.lists(SCALARS, max_size=3), st.lists(INLINE, max_size=3))
)
TABLES: Any = st.dictionaries(
    st.sampled_from(["aliases", "keys", "projects"]), st.dictionaries(NAMES, FIELDS, min_size=1)
)


@given(TABLES)
def test_what_is_written_reads_as_it_was(tables: dict[str, Any]) -> None:
    assert tomllib.loads(written(tables)) == tables


@given(TABLES, TABLES)
def test_what_is_written_over_another_file_reads_as_it_was(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    sections = {name: new.get(name, {}) for name in ("aliases", "keys", "projects")}
    read = tomllib.loads(written(sections, written(old), base=3))
    assert read.pop("base") == 3
    assert {name: entries for name, entries in read.items() if entries} == new
