"""What a template cannot do, however it is written."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.templates import TemplateFault, Version, render

VALUES: dict[str, Any] = {"x": {"a": [1, 2], "items": "own"}, "s": "text", "n": 3, "l": [1, [2]]}


def rendered(body: str) -> str:
    return render(Version("evil", 1, "text", "jinja", body), VALUES).text


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__ }}", "{{ x.__class__.__mro__ }}", "{{ x['__class__'] }}",
        "{{ x|attr('__class__') }}", "{{ x|map(attribute='__class__')|list }}",
        "{{ range.__globals__ }}", "{{ namespace.__init__.__globals__ }}", "{{ self.__init__ }}",
        "{{ self._TemplateReference__context }}", "{{ cycler }}", "{{ lipsum }}", "{{ joiner }}",
        "{% import 'os' as os %}", "{% from 'os' import path %}", "{% extends 'x' %}",
        "{{ '{0.__class__}'.format(s) }}", "{{ '%s' % s }}", "{{ s.encode() }}",
        "{{ x.pop('a') }}", "{{ l.append(1) }}", "{{ x.update({}) }}", "{{ s.join(l) }}",
        "{{ [l]|selectattr('__class__')|list }}", "{{ l|groupby('__class__') }}",
        "{% filter _bounded %}{% endfilter %}", "{{ n|_joined }}", "{% include x %}",
        "{{ (l, l)|sort(attribute='__class__') }}", "{{ s.__getattribute__('x') }}",
    ],
)  # fmt: skip
def test_no_way_leads_out(body: str) -> None:
    try:
        said = rendered(body)
    except TemplateFault:
        return
    assert "class" not in said, said
    assert "0x" not in said, said
    assert VALUES == {"x": {"a": [1, 2], "items": "own"}, "s": "text", "n": 3, "l": [1, [2]]}


@given(
    st.lists(
        st.sampled_from(
            ["__class__", "__mro__", "__subclasses__", "__globals__", "__init__", "__dict__",
             "__builtins__", "__self__", "__func__", "__code__", "gi_frame", "f_globals", "mro"]
        ),
        min_size=1, max_size=4,
    ),
    st.sampled_from(["x", "s", "l", "n", "range", "dict", "namespace()", "s.upper", "self",
                     "x.items", "loop", "(l|first)", "(s ~ n)", "[x]"]),
    st.sampled_from([".{}", "['{}']", "|attr('{}')", "|map(attribute='{}')|list",
                     "|sum(attribute='{}')", "|selectattr('{}')|list"]),
)  # fmt: skip
def test_no_chain_of_hidden_attributes_is_ever_followed(
    path: list[str], root: str, way: str
) -> None:
    expression = root + "".join(way.format(step) for step in path)
    try:
        said = rendered(f"{{% for i in [1] %}}{{{{ {expression} }}}}{{% endfor %}}")
    except TemplateFault:
        return
    assert said in ("", "[]", "0"), (expression, said)  # the sum of nothing is 0


@pytest.mark.parametrize(
    "body",
    [
        "{{ 'a' * 10**9 }}", "{{ [0] * 10**9 }}", "{{ 'a'.ljust(10**9) }}", "{{ 9**9**9 }}",
        "{{ ('a' * 90000)|replace('a', 'b' * 90000) }}", "{{ [1]|batch(10**9, 'x')|list }}",
        "{{ '%9999999999d' % 1 }}", "{{ '{:>9999999}'.format(1) }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set ns = namespace(s='aa') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}"
        "{% endfor %}",
        "{% set ns = namespace(s='aa') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}"
        "{% endfor %}",
        "{% set ns = namespace(s='aa') %}{% for i in range(99) %}{% set ns.s %}{{ ns.s }}"
        "{{ ns.s }}{% endset %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
        "{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(60) %}"
        "{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
        "{% set ns = namespace(l=(1,)) %}{% for i in range(60) %}{% set ns.l = (ns.l, ns.l) %}"
        "{% endfor %}{{ {ns.l: 1} }}",
        "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}"
        "{% endfor %}",
    ],
)  # fmt: skip
def test_what_would_take_for_ever_or_all_memory_is_cut_off(body: str) -> None:
    begun = time.process_time()
    with pytest.raises(TemplateFault):
        rendered(body)
    assert time.process_time() - begun < 5


def test_a_field_is_found_before_a_method_of_the_same_name() -> None:
    assert rendered("{{ x.items }} {{ x.a|join('+') }} {{ s.upper() }}") == "own 1+2 TEXT"
    assert rendered("{% for i in l %}{{ loop.index }}/{{ loop.length }} {% endfor %}") == "1/2 2/2 "
