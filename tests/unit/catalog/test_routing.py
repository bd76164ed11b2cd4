"""How a route's choices are checked, compiled, written on a command line and told of."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from stockpot import gateway
from stockpot.catalog.cli.routing import routed, routing
from stockpot.catalog.compile import Definitions, compile_part
from stockpot.catalog.fleet import Fleet
from stockpot.catalog.models import RouteSettings
from stockpot.catalog.offers import Offer
from stockpot.catalog.store.routes import RouteRow
from stockpot.core.errors import InvalidInput

TARGETS = [
    {"provider": "a", "model": "m/1"},
    {"provider": "b", "model": "m", "tier": 1},
    {"provider": "c", "model": "m", "weight": 0},
]


def settings(**choice: Any) -> RouteSettings:
    return RouteSettings.model_validate({"targets": TARGETS, **choice})


def rule(**changes: Any) -> dict[str, Any]:
    base = {"name": "eu", "source": "header", "field": "X-Region", "values": ["eu"]}
    return {**base, "targets": ["c/m"], **changes}


def route(given: RouteSettings) -> gateway.Route:
    offers = tuple(
        Offer(
            name=name, origin="console", models=(), vendor=name, title=name, wire="openai",
            base_url=f"http://{name}/v1",
        )
        for name in "abc"
    )  # fmt: skip
    defined = Definitions((), {}, (), (RouteRow("fast", given, 1),))
    (made,) = compile_part(defined, offers, ("openai",), workers=1).part.routes
    return made


def test_every_choice_reaches_the_gateway() -> None:
    made = route(
        settings(
            strategy="least_latency",
            sticky="session",
            rules=[rule(only=True), rule(name="spare", targets=[], tier=1)],
            hedge={"share": 0.1, "max_ms": 900},
            shadow={"provider": "c", "model": "new", "share": 0.5},
            retry_share=0.3,
            retry_floor=4,
            retry_burst=7,
            breaker={"failures": 5, "pause_s": 2, "pause_most_s": 9},
            degrade="never",
        )
    )
    assert (made.strategy, made.sticky, made.degrade) == ("least_latency", "session", "never")
    assert made.rules == (
        gateway.Rule("eu", "header", ("eu",), "x-region", ("c/m",), None, True),
        gateway.Rule("spare", "header", ("eu",), "x-region", (), 1),
    )
    assert made.hedge == gateway.Hedge(0.1, 20, 900, 5.0)
    assert made.breaker == gateway.Breaker(5, pause_s=2.0, pause_most_s=9.0)
    assert made.retry_burst == 7
    assert made.shadow == gateway.Shadow("c/new", 0.5, 4)
    assert (made.retry_share, made.retry_floor) == (0.3, 4.0)


def test_a_route_that_says_nothing_is_the_plainest() -> None:
    plain, made = gateway.Route("r", ("chat",), ()), route(settings())
    for name in (
        "strategy",
        "rules",
        "sticky",
        "hedge",
        "shadow",
        "degrade",
        "retry_on",
        "breaker",
    ):
        assert getattr(made, name) == getattr(plain, name)
    assert (made.retry_share, made.retry_floor) == (plain.retry_share, plain.retry_floor)


def test_a_shadow_whose_provider_is_gone_is_left_out() -> None:
    assert route(settings(shadow={"provider": "gone", "model": "m"})).shadow is None


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"rules": [rule(targets=["x/y"])]}, "'x/y' is no target of this route"),
        ({"rules": [rule(targets=[], tier=7)]}, "no tier 7"),
        ({"rules": [rule(), rule()]}, "two rules have one name"),
        ({"rules": [rule(tier=0)]}, "targets or a tier"),
        ({"rules": [rule(field="")]}, "have a name"),
        ({"rules": [rule(source="tag")]}, "a tag and a project none"),
        ({"rules": [rule(field="Authorization")]}, "holds a key"),
        ({"rules": [rule(values=[])]}, "at least 1"),
        ({"hedge": {"min_ms": 10, "max_ms": 5}}, "min_ms is above max_ms"),
        ({"hedge": {"share": 0}}, "greater than 0"),
        ({"shadow": {"provider": "a", "model": "m", "share": 2}}, "less than or equal to 1"),
        ({"strategy": "fastest"}, "least_latency"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(choice: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**choice)


# --- on a command line ----------------------------------------------------------------------------


def parsed(*arguments: str) -> dict[str, Any]:
    got: dict[str, Any] = {}

    @click.command()
    @routed
    def command(**given: Any) -> None:
        got.update(routing(given))
        assert not given, "every option is taken"

    CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return got


def test_no_option_is_no_field() -> None:
    assert parsed() == {}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("eu: header:x-region=eu, ch -> a/m/1,b/m", {
            "name": "eu", "source": "header", "field": "x-region", "values": ["eu", "ch"],
            "only": False, "targets": ["a/m/1", "b/m"]}),
        ("gold: tag = gold => tier 1", {
            "name": "gold", "source": "tag", "field": "", "values": ["gold"], "only": True,
            "tier": 1}),
        ("l:project=legal->c/m", {
            "name": "l", "source": "project", "field": "", "values": ["legal"], "only": False,
            "targets": ["c/m"]}),
    ],
)  # fmt: skip
def test_a_rule_is_one_line(text: str, fields: dict[str, Any]) -> None:
    (made,) = parsed("--rule", text)["rules"]
    assert made == fields
    assert settings(rules=[made]).rules[0].name == fields["name"]


def test_the_other_options_say_what_the_api_takes() -> None:
    got = parsed(
        "--strategy", "least_cost", "--sticky", "user", "--hedge", "0.1", "--hedge-wait", "5-900",
        "--shadow", "c/new/er=0.25", "--shadow-concurrency", "9", "--retry-share", "0.5",
        "--retry-floor", "1", "--degrade", "all", "--breaker-failures", "4",
        "--breaker-pause", "0.5-20", "--breaker-window", "0.25/40/15", "--hedge-burst", "7",
        "--retry-burst", "50",
    )  # fmt: skip
    assert got == {
        "strategy": "least_cost",
        "sticky": "user",
        "degrade": "all",
        "retry_share": 0.5,
        "retry_floor": 1.0,
        "retry_burst": 50.0,
        "breaker": {
            "failures": 4, "pause_s": 0.5, "pause_most_s": 20.0,
            "window_share": 0.25, "window_calls": 40, "window_s": 15.0,
        },
        "hedge": {"share": 0.1, "min_ms": 5, "max_ms": 900, "burst": 7.0},
        "shadow": {"provider": "c", "model": "new/er", "share": 0.25, "concurrency": 9},
    }  # fmt: skip
    settings(**got)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rule", "eu: header:x=1"), ("--rule", "eu header:x=1 -> a/m"), ("--rule", ""),
        ("--rule", "eu: cookie:x=1 -> a/m"), ("--hedge-wait", "1-2"), ("--shadow", "a"),
        ("--hedge", "0.1", "--hedge-wait", "20"), ("--shadow", "a/m=much"),
        ("--shadow-concurrency", "2"), ("--breaker-pause", "5"),
        ("--breaker-window", "0.5"), ("--hedge-burst", "3"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        parsed(*arguments)


# --- what workers report --------------------------------------------------------------------------


def test_a_breaker_that_is_open_at_one_worker_shows_open() -> None:
    fleet = Fleet()
    for worker, breaker, wait in (("w1", "closed", 12.0), ("w2", "open", 40.0)):
        state = gateway.TargetState(ok=1, breaker=breaker, first_byte_ms=wait, limited_until_ms=7)
        fleet.heard(gateway.Heartbeat(worker, 1, 1, "ok", {}, {"a/m": state}))
    seen = fleet.target("a/m")
    assert (seen.breaker, seen.first_byte_ms, seen.limited_until_ms) == ("open", 40.0, 7.0)
    assert fleet.target("other").breaker == "closed"
