"""A prompt as a file: what is written is read back, byte for byte, and faults have their line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.prompts.files import FileFault, PromptFile, check, parse, write
from stockpot.prompts.models import PromptContent, PromptMessage

TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=80
) | st.sampled_from(["=== user ===\n", "\\=== system ===", "---\n", "a\n\n", " a: b\n  - c", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
MESSAGE = st.builds(
    lambda role, content: PromptMessage.model_validate({"role": role, "content": content}),
    st.sampled_from(["system", "developer", "user", "assistant"]), TEXT,
) | st.builds(PromptMessage, insert=st.sampled_from(["history", "examples"]))  # fmt: skip
ABOUT = {
    "variables_schema": OBJECT, "model": st.sampled_from(["", "gpt-4o", "a/b: c"]),
    "params": OBJECT, "tools": st.lists(OBJECT, max_size=2).map(tuple),
    "response_schema": st.none() | OBJECT, "syntax": st.sampled_from(["jinja", "mustache"]),
}  # fmt: skip
CONTENT = st.builds(PromptContent, kind=st.just("text"), body=TEXT, **ABOUT) | st.builds(
    PromptContent, kind=st.just("chat"),
    messages=st.lists(MESSAGE, min_size=1, max_size=4).map(tuple), **ABOUT,
)  # fmt: skip
FILE = st.builds(
    PromptFile, CONTENT, TEXT, st.lists(st.text("ab", min_size=1), max_size=2).map(tuple), TEXT
)


@given(FILE)
def test_a_file_is_read_as_it_was_written_and_written_as_it_was_read(file: PromptFile) -> None:
    text = write(file)
    read = parse(text)
    assert read.content == file.content
    assert (read.description, read.tags, read.owner) == (file.description, file.tags, file.owner)
    assert write(read) == text


CHAT = """---
description: Writes menus
model: gpt-4o
params:
  temperature: 0.2
variables:
  type: object
  required: [dish]
---
=== system ===
You write menus.
=== messages: history ===
=== user ===
{{ dish }}

\\=== not a section ===
"""


def test_a_person_can_write_one_and_the_kind_goes_without_saying() -> None:
    file = parse(CHAT.replace("\n", "\r\n"))
    assert file.content.kind == "chat"
    assert [m.role or m.insert for m in file.content.messages] == ["system", "history", "user"]
    assert file.content.messages[-1].content == "{{ dish }}\n\n=== not a section ==="
    assert file.content.variables_schema["required"] == ["dish"]
    assert file.lines == (11, 13, 14)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("hello", 1, "the first line must be '---'"),
        ("---\nkind: text\nhello", 1, "not closed"),
        ("---\nkind: text\nmodle: x\n---\n", 3, "no field 'modle'. Did you mean 'model'?"),
        ("---\nkind: chat\nparams: 3\n---\n=== user ===\nx\n", 3, "params"),
        ("---\nkind: [\n---\n", 3, ""),
        ("---\ntags: one\n---\n", 2, "tags must be a list of texts"),
        ("---\nvariables:\n  default: 2020-01-01\n---\n", 2, "put it in quotes"),
        ("---\nkind: chat\n---\nhello\n", 4, "a chat begins with a section"),
        ("---\n---\n=== user ===\na\n=== usr ===\n", 5, "'=== usr ===' is no section"),
        ("---\n---\n=== messages: h ===\na\n", 4, "nothing stands below"),
        ("---\nkind: chat\n---\n", 1, "at least one message"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(FileFault) as caught:
        parse(text, "menu.prompt.md")
    assert caught.value.message.startswith(f"menu.prompt.md:{line}: ")
    assert message in caught.value.message


def test_a_fault_in_a_template_is_at_its_line_of_the_file() -> None:
    broken = CHAT.replace("{{ dish }}", "{{ dish }}\n{% if %}")
    with pytest.raises(FileFault) as caught:
        check(parse(broken, "x"), "x")
    assert caught.value.line == 15
    assert check(parse("---\n---\n{% include 'tone@2' %}\n", "x"), "x") == ("tone@2",)
