"""The main job on real input: a stock SDK, a real model, and what can be seen afterwards."""

from __future__ import annotations

import math
import time

import httpx
import openai
import pytest

from tests.integration.product.conftest import Product

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300), pytest.mark.xdist_group("product")]


@pytest.mark.needs("smollm2-135m")
def test_a_stock_sdk_talks_to_a_real_model_and_every_figure_is_on_the_trace(real: Product) -> None:
    key = real.key("sdk")
    with openai.OpenAI(base_url=real.gateway, api_key=key, max_retries=0) as sdk:
        assert "smollm2-135m" in [model.id for model in sdk.models.list()]
        say = {"role": "user", "content": "Hello."}
        for _ in sdk.chat.completions.create(
            model="smollm2-135m", messages=[say], stream=True, max_tokens=2
        ):
            pass  # the SDK builds its types on first use, which is no time of the model's
        begun = time.perf_counter()
        raw = sdk.chat.completions.with_raw_response.create(
            model="smollm2-135m",
            messages=[{"role": "user", "content": "Name three kitchen tools."}],
            stream=True,
            max_tokens=24,
            stream_options={"include_usage": True},
        )
        ttft, text, usage = 0.0, "", None
        for chunk in raw.parse():
            if chunk.choices and chunk.choices[0].delta.content:
                ttft = ttft or (time.perf_counter() - begun) * 1000
                text += chunk.choices[0].delta.content
            usage = chunk.usage or usage
    assert len(text.split()) >= 2
    assert usage is not None
    row = real.trace(raw.headers["x-stockpot-trace-id"])
    assert row["model"] == "smollm2-135m"
    assert row["tokens"]["input"] == usage.prompt_tokens
    assert row["tokens"]["output"] == usage.completion_tokens
    assert row["cost_nano"] == 0  # our own engine is free, which is known, not unknown
    # The client's clock also sees the SDK's own work before the request leaves.
    assert row["ttft_ms"] <= ttft
    assert math.isclose(row["ttft_ms"], ttft, rel_tol=0.05, abs_tol=25)


@pytest.mark.needs("minilm-l6-v2")
def test_the_default_embedding_model_puts_like_beside_like(real: Product) -> None:
    texts = ["A recipe for tomato soup", "How to cook soup with tomatoes", "The bus is late"]
    with openai.OpenAI(base_url=real.gateway, api_key=real.key("vectors"), max_retries=0) as sdk:
        made = sdk.embeddings.create(model="minilm-l6-v2", input=texts, encoding_format="float")
    a, b, c = (entry.embedding for entry in made.data)

    def cosine(x: list[float], y: list[float]) -> float:
        return sum(p * q for p, q in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))

    assert len(a) == 384
    assert cosine(a, b) > 0.7 > 0.3 > cosine(a, c)


@pytest.mark.needs("smollm2-135m")
def test_a_prompt_longer_than_the_model_takes_gets_the_engines_clear_refusal(real: Product) -> None:
    answer = real.chat(real.key("long"), model="smollm2-135m", messages=[
        {"role": "user", "content": "soup " * 12_000},
    ])  # fmt: skip
    assert answer.status_code == 400
    assert "context" in answer.json()["error"]["message"]


def test_an_instance_without_models_still_answers_and_says_what_to_do(product: Product) -> None:
    answer = product.chat(product.key("first"))
    assert answer.status_code == 200
    assert "hello there" in answer.json()["choices"][0]["message"]["content"]
    row = product.trace(answer.headers["x-stockpot-trace-id"])
    assert (row["model"], row["status"]) == ("echo", "ok")
    assert any("models pull" in notice for notice in product.ready["notices"])


def test_what_a_new_key_may_not_do_is_refused_at_once(product: Product) -> None:
    key = product.key("narrow", "--model", "other-model")
    assert product.chat(key).status_code == 403


def test_a_revoked_key_stops_working_within_a_second(product: Product) -> None:
    made = product.cli("keys", "create", "--name", "brief")
    assert product.chat(made["key"]).status_code == 200
    product.command("keys", "revoke", "brief")
    time.sleep(1)
    assert product.chat(made["key"]).status_code == 401


def test_a_budget_stops_spending(product: Product) -> None:
    key = product.key("thrifty", "--budget", "0.01")
    assert product.chat(key).status_code == 200  # the echo model is free


def test_both_ports_are_ready(product: Product) -> None:
    gateway = product.gateway.removesuffix("/v1")
    assert httpx.get(f"{gateway}/readyz", timeout=60).status_code == 200
    assert httpx.get(f"{product.console}/readyz", timeout=60).status_code == 200
