"""What a version and variables come to, in both languages."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.templates import Message, Partial, TemplateFault, Version, examine, render

IMAGE = "data:image/png;base64,AA=="
SCHEMA = {
    "type": "object",
    "required": ["dish"],
    "additionalProperties": False,
    "properties": {
        "dish": {"type": "string"},
        "price": {"type": "number", "default": 3},
        "note": {"type": "string"},
        "photo": {"format": "image"},
        "history": {"type": "array"},
    },
}


def text(body: str, syntax: str = "jinja", **more: Any) -> Version:
    return Version("menu", 1, "text", syntax, body, **more)  # type: ignore[arg-type]


def test_text_stands_as_it_is_and_other_values_as_json() -> None:
    body = "{{ a }}|{{ b }}|{{ c }}|{{ d }}|{{ e }}"
    values = {"a": "<b> & 'c'", "b": 1.5, "c": True, "d": None, "e": {"x": [1]}}
    expected = "<b> & 'c'|1.5|true||" + '{"x":[1]}'
    assert render(text(body), values).text == expected
    assert render(text(body, "mustache"), values).text == expected


def test_optional_variables_have_their_default_or_nothing() -> None:
    body = "{{ dish }} {{ price }}{% if note %} {{ note }}{% endif %}"
    assert render(text(body, variables_schema=SCHEMA), {"dish": "soup"}).text == "soup 3"
    body = "{{ dish }} {{ price }}{{#note}} {{ note }}{{/note}}"
    given = {"dish": "soup", "note": "hot"}
    version = text(body, "mustache", variables_schema=SCHEMA)
    assert render(version, given).text == "soup 3 hot"


@pytest.mark.parametrize(
    ("variables", "variable", "message"),
    [
        ({}, "dish", "the variable 'dish' (a text) is missing"),
        ({"dish": 7}, "dish", "the variable 'dish' must be a text, not the number 7"),
        ({"dish": "x", "dsh": 1}, "dsh", "there is no variable 'dsh'. Did you mean 'dish'?"),
        ({"dish": "x", "price": "a"}, "price", "must be a number, not the text 'a'"),
        ({"dish": "x", "photo": "me.png"}, "photo", "an image: a data: URL"),
    ],
)
def test_an_error_names_the_variable_what_was_wanted_and_what_came(
    variables: dict[str, Any], variable: str, message: str
) -> None:
    chat = Version(
        "menu", 1, "chat", messages=(Message("user", "{{ dish }}{{ photo }}"),),
        variables_schema=SCHEMA,
    )  # fmt: skip
    with pytest.raises(TemplateFault) as caught:
        render(chat, variables)
    assert caught.value.variable == variable
    assert message in caught.value.message


@pytest.mark.parametrize("syntax", ["jinja", "mustache"])
def test_a_name_that_is_nowhere_is_an_error_in_both_languages(syntax: str) -> None:
    with pytest.raises(TemplateFault, match=r"'missing' is undefined"):
        render(text("{{ missing }}", syntax), {"there": 1})


def test_messages_are_put_where_the_history_belongs_and_pictures_become_parts() -> None:
    version = Version(
        "menu", 1, "chat", variables_schema=SCHEMA,
        messages=(
            Message("system", "You write menus."),
            Message(insert="history"),
            Message("user", "Look: {{ photo }} It is {{ dish }}."),
        ),
    )  # fmt: skip
    history = [{"role": "user", "content": "{{ not a template }}"}]
    made = render(version, {"dish": "soup", "photo": IMAGE, "history": history})
    assert made.messages == (
        {"role": "system", "content": "You write menus."},
        {"role": "user", "content": "{{ not a template }}"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look: "},
                {"type": "image_url", "image_url": {"url": IMAGE}},
                {"type": "text", "text": " It is soup."},
            ],
        },
    )
    assert len(render(version, {"dish": "soup"}).messages) == 2


def test_a_picture_that_a_template_changes_is_refused() -> None:
    version = Version("menu", 1, "chat", messages=(Message("user", "{{ photo|upper }}"),),
                      variables_schema=SCHEMA)  # fmt: skip
    with pytest.raises(TemplateFault, match="photo"):
        render(version, {"dish": "", "photo": IMAGE})


@pytest.mark.parametrize(
    ("syntax", "include"), [("jinja", "{{% include '{}' %}}"), ("mustache", "{{{{> {} }}}}")]
)
def test_each_partial_has_its_own_partials_at_their_versions(syntax: str, include: str) -> None:
    partials = {
        "a@2": Partial("a", 2, f"A[{include.format('b')}]", {"b": "b@1"}),
        "b@1": Partial("b", 1, "old b"),
        "b@9": Partial("b", 9, "new b"),
    }
    body = f"{include.format('a')} {include.format('b')}"
    version = text(body, syntax, partials=partials, pins={"a": "a@2", "b": "b@9"})
    assert render(version, {}).text == "A[old b] new b"


def test_an_examined_version_tells_what_it_reads() -> None:
    found = examine(text("{{ dish }} {% for i in items %}{{ i.name }}{% endfor %}"))
    assert found.variables == ("dish", "items")
    with pytest.raises(TemplateFault, match="'meal', which the schema"):
        examine(text("{{ meal }}", variables_schema=SCHEMA))


@given(st.text(max_size=200))
def test_what_a_variable_says_is_never_taken_for_a_template(said: str) -> None:
    for syntax in ("jinja", "mustache"):
        assert render(text("{{ said }}", syntax), {"said": said}).text == said


@given(st.text(alphabet="{}%#/^&>=! abn.\n\"'|[]()~-", max_size=60))
def test_any_template_renders_or_is_refused_in_words(body: str) -> None:
    for syntax in ("jinja", "mustache"):
        with contextlib.suppress(TemplateFault):
            render(text(body, syntax), {"a": [1, {"b": "x"}], "b": "y", "n": 3})
