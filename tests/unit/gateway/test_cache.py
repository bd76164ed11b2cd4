"""What counts as the same request, for whom an answer is kept, and how much is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway import (
    CachePolicy,
    GatewayPart,
    Key,
    Project,
    Record,
    Route,
    Target,
    WeightedTarget,
)
from stockpot.gateway.account import Accountant
from stockpot.gateway.cache import LARGEST_BODY, AnswerCache, name_of, sameness
from stockpot.gateway.call import Call
from stockpot.gateway.http.messages import Exchange, Request
from stockpot.gateway.models import Rule
from stockpot.gateway.snapshot import Carried, View
from stockpot.providers import dialects
from tests.unit.traces.made import make_record

OPENAI = dialects()[0]
TARGET = Target("t", "p", "openai", "http://127.0.0.1:1/v1", "m")
ROUTE = Route("m", ("chat",), (WeightedTarget("t"),))
KEY = Key("key_1", b"1", "one", "menu", "dev", cache=CachePolicy(60))
BODY: dict[str, Any] = {
    "model": "m", "messages": [{"role": "user", "content": "soup"}], "temperature": 1,
}  # fmt: skip


def call(
    body: dict[str, Any] | bytes = BODY,
    *,
    key: Key = KEY,
    route: Route = ROUTE,
    target: Target = TARGET,
    project: Project | None = None,
    path: bytes = b"/v1/chat/completions",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Call:
    """A call that was read and admitted."""
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    projects = (project or Project("prj", "menu"),)
    view = View(1, GatewayPart((key,), projects, (route,), (target,)), Carried())
    made = Call(
        Request(b"POST", path, path, b"", list(headers), body=said),
        cast("Exchange", None), view, OPENAI, "chat",
    )  # fmt: skip
    made.key = view.keys[key.hash]
    made.ask = OPENAI.read("chat", said, path, made.headers)
    made.route = view.routes["m"]
    return made


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["model", "tools", "n", "seed", "x"]), JSON)


@given(FIELDS, st.randoms(), st.sampled_from([None, 1, 4]))
def test_white_space_and_the_order_of_fields_do_not_count(
    fields: dict[str, Any], rng: Any, indent: int | None
) -> None:
    names = list(fields)
    rng.shuffle(names)
    again = {name: fields[name] for name in names} | {"stream": True, "user": "u", "metadata": {}}
    assert sameness(json.dumps(again, indent=indent).encode()) == sameness(
        json.dumps(fields).encode()
    )


@given(FIELDS, FIELDS)
def test_every_other_difference_counts(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = sameness(json.dumps(one).encode()) == sameness(json.dumps(other).encode())
    kept = (json.dumps({name: f[name] for name in sorted(f)}) for f in (one, other))
    assert same is (len(set(kept)) == 1)


def test_the_order_inside_a_schema_counts_since_models_follow_it() -> None:
    a = b'{"tools":[{"a":1,"b":2}]}'
    b = b'{"tools":[{"b":2,"a":1}]}'
    assert sameness(a) != sameness(b)


@pytest.mark.parametrize(
    "body",
    [b"[1]", b"no json", b'"text"', b'{"a":1', b'{"previous_response_id":"r"}',
     b'{"conversation":"c"}', b'{"background":true}', b'{"a":"\xff"}'],
)  # fmt: skip
def test_what_is_no_plain_request_is_never_the_same(body: bytes) -> None:
    assert sameness(body) is None


@pytest.mark.parametrize(
    "other",
    [
        {"body": {**BODY, "temperature": 0}},
        {"body": {**BODY, "stream": True}},
        {"key": msgspec.structs.replace(KEY, id="key_2")},
        {"route": msgspec.structs.replace(ROUTE, degrade="all")},
        {"target": msgspec.structs.replace(TARGET, base_url="http://127.0.0.1:2/v1")},
        {"target": msgspec.structs.replace(TARGET, options={"region": "x"})},
        {"path": b"/v1/completions"},
        {"headers": ((b"anthropic-beta", b"x"),)},
    ],
)
def test_another_body_key_route_target_or_version_is_another_request(other: dict[str, Any]) -> None:
    assert name_of(call(**other)) != name_of(call())
    assert name_of(call()) == name_of(call()) is not None


def test_a_route_with_rules_keeps_apart_what_they_tell_apart() -> None:
    rule = Rule("vip", "tag", ("gold",), targets=("t",))
    ruled = msgspec.structs.replace(ROUTE, rules=(rule,))
    gold = ((b"x-stockpot-tags", b"gold"),)
    assert name_of(call(route=ruled)) != name_of(call(route=ruled, headers=gold))
    assert name_of(call()) == name_of(call(headers=gold))


def test_keys_of_a_project_share_answers_only_where_the_policy_says_so() -> None:
    shared = CachePolicy(60, scope="project")
    one, two = (msgspec.structs.replace(KEY, id=ident, cache=shared) for ident in ("a", "b"))
    assert name_of(call(key=one)) == name_of(call(key=two))
    live = msgspec.structs.replace(two, environment="production")
    assert name_of(call(key=one)) != name_of(call(key=live))


def test_a_key_without_a_policy_has_its_projects_and_may_turn_it_off() -> None:
    project = Project("prj", "menu", cache=CachePolicy(60, scope="project"))
    plain = msgspec.structs.replace(KEY, cache=None)
    off = msgspec.structs.replace(KEY, cache=CachePolicy(0))
    found = [call(key=k, project=project).key for k in (KEY, plain, off)]
    assert [k and k.cache for k in found] == [KEY.cache, project.cache, None]
    assert call(key=plain).key.cache is None  # type: ignore[union-attr]


def test_a_body_that_takes_long_to_read_is_not_looked_up() -> None:
    long = {**BODY, "messages": [{"role": "user", "content": "x" * LARGEST_BODY}]}
    assert name_of(call(long)) is None


def cache_of(most: int, clock: Callable[[], float] = lambda: 0.0) -> AnswerCache:
    return AnswerCache(cast("Accountant", None), most, clock)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9000)), max_size=40))
def test_what_is_kept_never_takes_more_than_its_bound(kept: list[tuple[int, int]]) -> None:
    cache, record = cache_of(20_000), Record(**msgspec.structs.asdict(make_record()))
    for name, size in kept:
        cache.keep(b"%d" % name, cache.entry(b"x" * size, [], False, record))
        assert cache.size == sum(entry.size for entry in cache._entries.values()) <= 20_000
    if kept:
        assert b"%d" % kept[-1][0] in cache._entries
