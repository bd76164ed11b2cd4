"""The other vendors' SDKs talk to the real local model, which speaks neither of their formats."""

from __future__ import annotations

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from tests.integration.product.conftest import Product

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("product"),
    pytest.mark.needs("smollm2-135m"),
]
MODEL = "smollm2-135m"
ASKED = "Name three kitchen tools."


def test_the_claude_sdk_streams_from_the_real_model(real: Product) -> None:
    url = real.gateway.removesuffix("/v1")
    with anthropic.Anthropic(base_url=url, api_key=real.key("claude"), max_retries=0) as sdk:
        with sdk.messages.stream(
            model=MODEL,
            max_tokens=24,
            system="You are terse.",
            messages=[{"role": "user", "content": ASKED}],
        ) as stream:
            text = "".join(stream.text_stream)
            said = stream.get_final_message()
        trace = stream.response.headers["x-stockpot-trace-id"]
    assert len(text.split()) >= 2
    assert said.stop_reason in ("end_turn", "max_tokens")
    row = real.trace(trace)
    assert row["tokens"]["output"] == said.usage.output_tokens
    # The engine keeps what prompts have in common; Anthropic's format counts that apart.
    cached = said.usage.cache_read_input_tokens or 0
    assert row["tokens"]["input"] == said.usage.input_tokens + cached


def test_googles_sdk_streams_from_the_real_model(real: Product) -> None:
    url = real.gateway.removesuffix("/v1")
    options = types.HttpOptions(base_url=url)
    with genai.Client(api_key=real.key("google"), http_options=options) as sdk:
        limits = types.GenerateContentConfig(max_output_tokens=24)
        chunks = list(
            sdk.models.generate_content_stream(model=MODEL, contents=ASKED, config=limits)
        )
    assert len("".join(chunk.text or "" for chunk in chunks).split()) >= 2
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].usage_metadata.candidates_token_count


def test_the_responses_api_answers_from_the_real_model(real: Product) -> None:
    with openai.OpenAI(base_url=real.gateway, api_key=real.key("responses"), max_retries=0) as sdk:
        said = sdk.responses.create(model=MODEL, input=ASKED, max_output_tokens=24)
    assert len(said.output_text.split()) >= 2
    assert said.usage is not None
    assert said.usage.output_tokens > 0
