"""How definitions and offers become the gateway's part of a snapshot."""

from __future__ import annotations

import msgspec
import pytest

from stockpot.catalog.compile import Compiled, Definitions, compile_part
from stockpot.catalog.models import RouteSettings
from stockpot.catalog.offers import Offer, is_loopback
from stockpot.catalog.store.routes import RouteRow
from stockpot.gateway import GatewayPart

NOTHING = Definitions(projects=(), project_budgets={}, keys=(), routes=())


def offer(name: str, *models: str, **more: object) -> Offer:
    facts = {"vendor": name, "title": name, "wire": "openai", "base_url": f"http://{name}/v1"}
    return Offer(**{"name": name, "origin": "console", "models": models, **facts, **more})  # type: ignore[arg-type]


def engine(name: str, model: str, **more: object) -> Offer:
    facts = {"origin": "engine", "kind": "chat", "free": True, "vendor": name, "smoke": True}
    return offer("llama.cpp", model, **{**facts, **more})


def compiled(*offers: Offer, **aliases: RouteSettings) -> Compiled:
    rows = tuple(RouteRow(name, settings, 1) for name, settings in aliases.items())
    return compile_part(NOTHING._replace(routes=rows), offers, ("openai",), workers=4)


def served(got: Compiled) -> dict[str, list[str]]:
    return {route.name: [t.target for t in route.targets] for route in got.part.routes}


def alias(*targets: tuple[str, str, int, int]) -> RouteSettings:
    rows = [{"provider": p, "model": m, "weight": w, "tier": t} for p, m, w, t in targets]
    return RouteSettings.model_validate({"targets": rows})


def test_an_engines_model_answers_to_its_own_name() -> None:
    got = compiled(engine("smollm2-135m", "smollm2-135m"), engine("echo", "echo"))
    assert served(got) == {
        "echo": ["llama.cpp/echo"],
        "smollm2-135m": ["llama.cpp/smollm2-135m"],
    }
    assert all(target.free and target.prices == () for target in got.part.targets)


def test_several_engines_of_one_model_share_its_route() -> None:
    got = compiled(engine("a", "m"), engine("b", "m"))
    assert served(got) == {"m": ["llama.cpp/a/m", "llama.cpp/b/m"]}


def test_a_vendors_model_answers_to_its_full_name_and_alone_to_its_bare_name() -> None:
    got = compiled(offer("one", "unique", "common"), offer("two", "common"))
    assert sorted(served(got)) == ["one/common", "one/unique", "two/common", "unique"]


def test_an_engine_keeps_its_name_when_a_vendor_has_the_same_model() -> None:
    got = compiled(offer("ollama", "m"), engine("m", "m"))
    assert served(got)["m"] == ["llama.cpp/m"]
    assert served(got)["ollama/m"] == ["ollama/m"]


def test_an_alias_takes_a_name_from_whoever_had_it() -> None:
    got = compiled(offer("a", "m"), offer("b", "x"), m=alias(("b", "x", 3, 0), ("a", "m", 1, 1)))
    (route,) = [r for r in got.part.routes if r.name == "m"]
    assert [(t.target, t.weight, t.tier) for t in route.targets] == [("b/x", 3, 0), ("a/m", 1, 1)]


def test_an_alias_may_name_a_model_that_a_vendor_did_not_list() -> None:
    got = compiled(offer("a"), fine=alias(("a", "hidden", 1, 0)))
    assert served(got) == {"fine": ["a/hidden"]}


def test_an_alias_without_a_connected_target_is_shown_but_not_routed() -> None:
    got = compiled(lost=alias(("gone", "m", 1, 0)))
    assert served(got) == {}
    assert [entry.name for entry in got.models] == ["lost"]
    assert "lost" in got.notices[0]


def test_a_wire_format_that_workers_do_not_speak_is_not_routed() -> None:
    assert served(compiled(offer("a", "m", wire="semaphore"))) == {}


def test_an_embedding_model_is_asked_for_embeddings_only() -> None:
    got = compiled(offer("a", "text-embedding-3-small", "chatty"))
    endpoints = {route.name: route.endpoints for route in got.part.routes}
    assert endpoints["text-embedding-3-small"] == ("embeddings",)
    assert endpoints["chatty"] == ("chat", "completions")


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("bearer", (("authorization", "Bearer s3cret"),)),
        ("header:X-Api-Key", (("x-api-key", "s3cret"),)),
        ("none", (("authorization", "Bearer s3cret"),)),
    ],
)
def test_a_credential_goes_where_the_vendor_expects_it(
    auth: str, headers: tuple[tuple[str, str], ...]
) -> None:
    (target,) = compiled(offer("a", "m", auth=auth, secret="s3cret")).part.targets
    assert target.headers == headers
    (bare,) = compiled(offer("a", "m", auth=auth)).part.targets
    assert bare.headers == ()


def test_a_known_price_travels_with_its_target_and_an_unknown_one_stays_unknown() -> None:
    got = compiled(offer("openai", "gpt-4o-mini", "brand-new", prices_as="openai"))
    prices = {target.model: target.prices for target in got.part.targets}
    assert prices["brand-new"] == ()
    assert prices["gpt-4o-mini"][0].input == 150_000


def test_the_same_input_compiles_to_the_same_bytes_in_any_order() -> None:
    offers = [offer("b", "x", "y"), offer("a", "y"), engine("e", "e")]
    one = msgspec.msgpack.encode(compiled(*sorted(offers, key=lambda o: o.name)).part)
    again = msgspec.msgpack.encode(compiled(*sorted(offers, key=lambda o: o.name)).part)
    assert one == again
    assert msgspec.msgpack.decode(one, type=GatewayPart).rate_share == 0.25


@pytest.mark.parametrize(
    ("url", "is_it"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://10.0.0.1/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_only_this_host_is_free_of_charge(url: str, is_it: bool) -> None:
    assert is_loopback(url) is is_it


def test_a_route_serves_what_its_models_name_says_and_under_its_full_name_anything() -> None:
    got = compiled(offer("one", "whisper-1", "gpt-4o", "dall-e-3"), engine("e", "local"))
    served_by = {route.name: route.endpoints for route in got.part.routes}
    assert served_by["whisper-1"] == ("speech", "transcriptions", "translations")
    assert served_by["dall-e-3"] == ("images", "image_edits")
    assert served_by["gpt-4o"] == served_by["local"] == ("chat", "completions")
    assert {"speech", "rerank", "chat", "embeddings"} <= set(served_by["one/gpt-4o"])


def test_an_alias_of_a_kind_serves_that_kind_alone() -> None:
    voice = alias(("one", "any-model", 1, 0)).model_copy(update={"kind": "audio"})
    got = compiled(offer("one"), voice=voice)
    (route,) = (route for route in got.part.routes if route.name == "voice")
    assert route.endpoints == ("speech", "transcriptions", "translations")
