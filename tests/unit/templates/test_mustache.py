"""Mustache as its specification has it: sections, their lines, partials, delimiters."""

from __future__ import annotations

import html
from typing import Any

import pytest

from stockpot.templates import Partial, TemplateFault
from stockpot.templates.mustache import MustacheTemplate, included, used


def said(source: str, values: Any, partials: dict[str, str] | None = None) -> str:
    known = {name: Partial(name, 0, body) for name, body in (partials or {}).items()}
    template = MustacheTemplate(source, "here", known, {}, strict=False,
                                escape=lambda t: html.escape(t, quote=True))  # fmt: skip
    return template(values)


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("{{a}} {{{a}}} {{&a}}", {"a": "<&\">"}, "&lt;&amp;&quot;&gt; <&\"> <&\">"),
        ("a {{! said\naside }}b", {}, "a b"),
        ("a\n  {{! alone }}\nb", {}, "a\nb"),
        ("a\r\n{{! alone }}\r\nb", {}, "a\r\nb"),
        ("{{a.b.c}}|{{a.x}}", {"a": {"b": {"c": 1}}}, "1|"),
        ("{{#a}}{{b}}{{/a}}", {"a": {"b": 1}}, "1"),
        ("{{#a}}{{.}},{{/a}}", {"a": [1, 2]}, "1,2,"),
        ("{{#a}}{{#.}}{{.}}{{/.}};{{/a}}", {"a": [[1, 2], [3]]}, "12;3;"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": []}, "y"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": 0}, "x"),
        ("{{#a}}{{b}}{{/a}}", {"a": True, "b": "out"}, "out"),
        ("{{#a}}{{#b}}{{c}}{{/b}}{{/a}}", {"a": {"c": 2}, "b": True, "c": 1}, "2"),
        ("{{#a}}{{b.c}}{{/a}}", {"a": {"b": {}}, "b": {"c": "wrong"}}, ""),
        ("| {{#a}}\n|\n| {{/a}}\n", {"a": True}, "| \n|\n| \n"),
        ("x\n{{#a}}\ny\n{{/a}}\nz\n", {"a": True}, "x\ny\nz\n"),
        ("x\n  {{^a}}\ny\n  {{/a}}", {"a": False}, "x\ny\n"),
        ("{{=<% %>=}}<% a %> {{a}}", {"a": 1}, "1 {{a}}"),
        ("{{= | | =}}\n|a|", {"a": 1}, "1"),
        ("{{#a}}v{{=| |=}}|/a||a|", {"a": True}, "vtrue"),
        ("{{ a }}{{{ a }}}", {"a": 1}, "11"),
        ("{{#a}}{{/a}}", {"a": ""}, ""),
        ("{{a}}", {"a": None}, ""),
        ("{{#a}}{{one}}{{#b}}{{one}}{{two}}{{/b}}{{one}}{{/a}}",
         {"a": {"one": 1}, "b": {"two": 2}}, "1121"),
    ],
)  # fmt: skip
def test_the_language_is_the_specifications(
    source: str, values: dict[str, Any], expected: str
) -> None:
    assert said(source, values) == expected


@pytest.mark.parametrize(
    ("source", "values", "partials", "expected"),
    [
        ("{{>p}}", {"a": 1}, {"p": "*{{a}}"}, "*1"),
        ("{{>gone}}|", {}, {}, "|"),
        ("{{>n}}", {"c": "X", "n": [{"c": "Y", "n": []}]}, {"n": "{{c}}<{{#n}}{{>n}}{{/n}}>"},
         "X<Y<>>"),
        ("\\\n {{>p}}\n/\n", {"c": "<\n->"}, {"p": "|\n{{{c}}}\n|\n"}, "\\\n |\n <\n->\n |\n/\n"),
        ("  {{a}}  {{> p}}\n", {"a": "|"}, {"p": ">\n>"}, "  |  >\n>\n"),
        ("|{{> p }}|", {}, {"p": "[]"}, "|[]|"),
        ("{{= | | =}}|>p|{{a}}", {"a": 1}, {"p": "{{a}}"}, "1{{a}}"),
    ],
)  # fmt: skip
def test_partials_stand_where_they_are_named(
    source: str, values: dict[str, Any], partials: dict[str, str], expected: str
) -> None:
    assert said(source, values, partials) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\n{{#b}}", "line 2: the section 'b' is not closed"),
        ("{{#a}}\n{{/b}}", "line 2: 'b' is closed, but 'a' is open"),
        ("{{/a}}", "nothing is open"),
        ("\n\n{{a", "line 3: a tag that begins with '{{' does not end"),
        ("{{ }}", "names nothing"),
        ("{{=x=}}", "no two delimiters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(source: str, message: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        said(source, {})
    assert message in str(caught.value)


def test_strict_templates_take_nothing_for_granted() -> None:
    strict = MustacheTemplate("{{#a}}{{b}}{{/a}}", "here", {}, {})
    assert strict({"a": [{"b": "<1>"}]}) == "<1>"
    with pytest.raises(TemplateFault, match="'b' is undefined"):
        strict({"a": [{}]})
    endless = {"p": Partial("p", 1, "{{> p }}")}
    with pytest.raises(TemplateFault, match="steps, or nests"):
        MustacheTemplate("{{> p }}", "here", endless, {})({})


def test_what_a_template_reads_and_includes_is_known_without_rendering() -> None:
    source = "{{a.b}}{{#c}}{{d}}{{> p@3 }}{{/c}}"
    assert used(source) == {"a", "c"}
    assert included(source) == ("p@3",)
