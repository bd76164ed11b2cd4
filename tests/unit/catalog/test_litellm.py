"""LiteLLM's configurations, in the shapes that its documentation publishes, as definitions."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
import yaml

from stockpot.catalog.definitions import Document
from stockpot.catalog.litellm import Imported, translated
from stockpot.core.errors import InvalidInput

# Each is written after a page of the documentation: the keys are LiteLLM's, the values ours.
QUICK_START = """
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/our-gpt-4o
      api_base: os.environ/AZURE_API_BASE
      api_key: os.environ/AZURE_API_KEY
      api_version: "2024-08-01-preview"
"""
LOAD_BALANCING = """
model_list:
  - model_name: chat
    litellm_params:
      model: azure/chat-eu
      api_base: https://eu.openai.azure.com/
      api_key: os.environ/AZURE_EU_KEY
      rpm: 900
  - model_name: chat
    litellm_params:
      model: azure/chat-us
      api_base: https://us.openai.azure.com/
      api_key: os.environ/AZURE_US_KEY
      rpm: 300
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 2
  timeout: 30
  redis_host: os.environ/REDIS_HOST
  redis_password: os.environ/REDIS_PASSWORD
  redis_port: 6379
"""
FALLBACKS = """
model_list:
  - model_name: smart
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: cheap
    litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY}
  - model_name: long
    litellm_params: {model: gemini/gemini-2.5-pro, api_key: os.environ/GEMINI_API_KEY}
litellm_settings:
  num_retries: 3
  request_timeout: 10
  fallbacks: [{"smart": ["cheap"]}]
  default_fallbacks: ["long"]
  context_window_fallbacks: [{"cheap": ["long"]}]
  allowed_fails: 3
  cooldown_time: 30
"""
WILDCARD = """
model_list:
  - model_name: "anthropic/*"
    litellm_params: {model: "anthropic/*", api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: "*"
    litellm_params: {model: "openai/*", api_key: os.environ/OPENAI_API_KEY}
  - model_name: "team-*"
    litellm_params: {model: "groq/*", api_key: os.environ/GROQ_API_KEY}
"""
ALIASES = """
model_list:
  - model_name: gpt-4o-mini
    litellm_params: {model: gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY}
router_settings:
  model_group_alias:
    gpt-4: gpt-4o-mini
    hidden: {model: gpt-4o-mini, hidden: true}
    x: y
"""
LOCAL = """
model_list:
  - model_name: llama
    litellm_params: {model: ollama_chat/llama3.1, api_base: "http://localhost:11434"}
  - model_name: mistral-7b
    litellm_params: {model: hosted_vllm/mistral-7b, api_base: "http://10.0.0.7:8000/v1"}
  - model_name: own
    litellm_params:
      model: openai/own
      api_base: http://models.corp:9000/v1
      api_key: none-needed
"""
EMBEDDINGS = """
model_list:
  - model_name: embed
    litellm_params: {model: openai/text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: embedding, base_model: text-embedding-3-small}
  - model_name: draw
    litellm_params: {model: openai/dall-e-3, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: image_generation}
"""
GOVERNED = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: gpt-4o, api_key: os.environ/OPENAI_API_KEY}
litellm_settings:
  max_budget: 100.5
  budget_duration: 30d
  success_callback: ["langfuse"]
  cache: true
  cache_params: {type: redis}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: os.environ/DATABASE_URL
  global_max_parallel_requests: 40
  alerting: ["slack"]
environment_variables:
  REDIS_HOST: 10.0.0.9
"""
LATENCY = """
model_list:
  - model_name: fast
    litellm_params: {model: groq/llama-3.1-8b-instant, api_key: os.environ/GROQ_API_KEY, order: 1}
  - model_name: fast
    litellm_params: {model: together_ai/llama-3.1-8b, api_key: os.environ/TOGETHER_KEY, order: 2}
router_settings:
  routing_strategy: latency-based-routing
  routing_strategy_args: {ttl: 10}
  retry_policy: {RateLimitErrorRetries: 0, TimeoutErrorRetries: 2, AuthenticationErrorRetries: 1}
  enable_pre_call_checks: true
"""
TAGS = """
model_list:
  - model_name: gpt-4
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, tags: ["paid"]}
  - model_name: gpt-4
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: os.environ/OPENAI_API_KEY
      tags: ["default"]
router_settings: {enable_tag_filtering: true}
"""
CREDENTIALS = """
credential_list:
  - credential_name: azure-eu
    credential_values:
      api_base: https://eu.openai.azure.com
      api_key: os.environ/AZURE_EU_KEY
      api_version: "2024-10-21"
model_list:
  - model_name: gpt-4o
    litellm_params: {model: azure/gpt-4o, litellm_credential_name: azure-eu, weight: 0.75}
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, weight: 0.25}
"""
BEDROCK = """
model_list:
  - model_name: claude
    litellm_params:
      model: bedrock/anthropic.claude-3-haiku-20240307-v1:0
      aws_access_key_id: os.environ/AWS_ACCESS_KEY_ID
      aws_secret_access_key: os.environ/AWS_SECRET_ACCESS_KEY
      aws_region_name: eu-central-1
      temperature: 0.2
      input_cost_per_token: 0.00000025
"""
SHAPES = {
    "quick start": QUICK_START,
    "load balancing": LOAD_BALANCING,
    "fallbacks": FALLBACKS,
    "wildcard": WILDCARD,
    "aliases": ALIASES,
    "local servers": LOCAL,
    "embeddings": EMBEDDINGS,
    "budgets and keys": GOVERNED,
    "latency": LATENCY,
    "tags": TAGS,
    "credentials": CREDENTIALS,
    "bedrock": BEDROCK,
}
ENVIRON = {"AZURE_API_BASE": "https://ours.openai.azure.com"}


def imported(shape: str) -> Imported:
    return translated(SHAPES[shape], ENVIRON)


def lost(found: Imported) -> set[str]:
    return {finding.path for finding in found.unmapped}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_documented_shape_becomes_definitions_that_are_valid(shape: str) -> None:
    found = imported(shape)
    document = Document.model_validate(found.definitions)
    assert document.providers
    assert all(finding.reason for finding in (*found.unmapped, *found.remarks))


def test_an_address_in_a_variable_is_looked_up_and_a_secret_is_a_reference() -> None:
    found = imported("quick start")
    assert found.definitions["providers"]["azure-openai"] == {
        "vendor": "azure-openai",
        "base_url": "https://ours.openai.azure.com/openai/v1",
        "secret": "env:AZURE_API_KEY",
    }
    assert lost(found) == {"model_list[0].litellm_params.api_version"}
    away = translated(QUICK_START, {})
    assert "model_list[0].litellm_params.api_base" in lost(away)
    assert "aliases" not in away.definitions


def test_deployments_of_one_name_share_an_alias_by_their_rates() -> None:
    found = imported("load balancing")
    alias = found.definitions["aliases"]["chat"]
    assert alias["targets"] == [
        {"provider": "azure-openai", "model": "chat-eu", "weight": 3},
        {"provider": "azure-openai-2", "model": "chat-us"},
    ]
    assert alias["timeouts"] == {"total_s": 30.0}
    assert "attempts" not in alias  # 2 retries are 3 attempts, which is usual here
    assert {"router_settings.redis_host", "router_settings.redis_port"} <= lost(found)


def test_fallbacks_are_further_tiers_of_the_alias() -> None:
    found = imported("fallbacks")
    smart = found.definitions["aliases"]["smart"]
    assert [(t["provider"], t.get("tier", 0)) for t in smart["targets"]] == [
        ("anthropic", 0),
        ("openai", 1),
    ]
    assert smart["attempts"] == 5
    assert smart["timeouts"] == {"total_s": 10.0}
    cheap = found.definitions["aliases"]["cheap"]
    assert [t["provider"] for t in cheap["targets"]] == ["openai", "gemini"]
    assert "litellm_settings.context_window_fallbacks" in lost(found)


def test_a_wildcard_is_a_provider_that_lists_its_models() -> None:
    found = imported("wildcard")
    assert set(found.definitions["providers"]) == {"anthropic", "openai", "groq"}
    assert "aliases" not in found.definitions
    assert lost(found) == {"model_list[2].model_name"}
    assert len(found.remarks) == 2


def test_other_names_lead_to_the_same_targets() -> None:
    found = imported("aliases")
    aliases = found.definitions["aliases"]
    assert aliases["gpt-4"] == aliases["hidden"] == aliases["gpt-4o-mini"]
    assert lost(found) == {"router_settings.model_group_alias.x"}


def test_servers_of_ones_own_keep_their_addresses() -> None:
    made = imported("local servers").definitions["providers"]
    assert made["ollama"] == {"vendor": "ollama", "base_url": "http://localhost:11434/v1"}
    assert made["vllm"] == {"vendor": "vllm", "base_url": "http://10.0.0.7:8000/v1"}
    assert made["models.corp"]["vendor"] == "openai-compatible"


def test_no_secret_that_stands_in_the_file_is_taken_over() -> None:
    found = imported("local servers")
    assert "none-needed" not in repr(found)
    assert found.definitions["providers"]["models.corp"]["secret"] == "env:OPENAI_API_KEY"
    assert any("stands in the file" in finding.reason for finding in found.remarks)


def test_an_embedding_model_stays_one_and_a_drawing_one_is_told() -> None:
    found = imported("embeddings")
    assert found.definitions["aliases"]["embed"]["kind"] == "embedding"
    assert "draw" not in found.definitions["aliases"]
    assert "model_list[1].model_info.mode" in lost(found)


def test_the_proxys_budget_is_the_projects_and_its_master_key_a_key() -> None:
    found = imported("budgets and keys")
    assert found.definitions["projects"]["default"] == {
        "budget": {"usd": 100.5, "period": "month"},
        "limits": {"concurrency": 40},
    }
    assert found.definitions["keys"] == {"master": {"secret": "env:LITELLM_MASTER_KEY"}}
    assert {"litellm_settings.success_callback", "environment_variables"} <= lost(found)


def test_a_strategy_an_order_and_a_retry_policy_are_the_aliass() -> None:
    found = imported("latency")
    alias = found.definitions["aliases"]["fast"]
    assert alias["strategy"] == "least_latency"
    assert [t.get("tier", 0) for t in alias["targets"]] == [0, 1]
    assert "rate_limit" not in alias["retry_on"]
    assert "timeout" in alias["retry_on"]
    assert "router_settings.retry_policy.AuthenticationErrorRetries" in lost(found)


def test_tagged_deployments_become_rules() -> None:
    alias = imported("tags").definitions["aliases"]["gpt-4"]
    assert alias["rules"] == [
        {"name": "paid", "source": "tag", "values": ["paid"], "targets": ["openai/gpt-4o"],
         "only": True}
    ]  # fmt: skip


def test_a_named_credential_is_filled_in_and_weights_become_whole() -> None:
    alias = imported("credentials").definitions["aliases"]["gpt-4o"]
    assert [t.get("weight", 1) for t in alias["targets"]] == [3, 1]


def test_bedrock_is_at_its_region_and_model_parameters_are_the_clients() -> None:
    found = imported("bedrock")
    assert found.definitions["providers"]["bedrock"]["base_url"].endswith(
        "bedrock-runtime.eu-central-1.amazonaws.com"
    )
    assert found.definitions["providers"]["bedrock"]["secret"] == "env:AWS_ACCESS_KEY_ID"
    assert not {path for path in lost(found) if "aws_" in path}
    reasons = {finding.path.rpartition(".")[2]: finding.reason for finding in found.unmapped}
    assert "client" in reasons["temperature"]
    assert "prices" in reasons["input_cost_per_token"]


def test_every_key_is_either_read_or_listed() -> None:
    text = "brand_new: 1\nmodel_list: []\nrouter_settings: {newer: 2}\n"
    assert lost(translated(text, {})) == {"brand_new", "router_settings.newer"}


SHARED = """
model_list:
  - model_name: gpt
    litellm_params: {model: gpt-4o, weight: 2, tags: "free/eu"}
  - model_name: gpt
    litellm_params: {model: gpt-4o-mini, weight: 0}
  - model_name: gpt
    litellm_params: {model: mistral-small, order: 1}
  - model_name: cl
    litellm_params: {model: bedrock/anthropic.claude, aws_region_name: us-west-2}
  - model_name: emb
    litellm_params: {model: text-embedding-3-small}
    model_info: {mode: embedding}
  - model_name: vx
    litellm_params: {model: vertex_ai/gemini-2.5-pro, vertex_location: europe-west4,
                     vertex_credentials: /etc/key.json}
  - model_name: vx
    litellm_params: {model: vertex_ai/claude-sonnet-4-5, vertex_location: europe-west4}
router_settings: {enable_tag_filtering: true, fallbacks: [{gpt: cl}], default_fallbacks: [cl],
                  model_group_alias: {old: gpt}, timeout: 9}
litellm_settings: {num_retries: 2, max_budget: 5, budget_duration: 7d}
credential_list: [{credential_name: c, credential_values: {api_key: os.environ/AZ}}]
general_settings: {master_key: os.environ/MK, global_max_parallel_requests: 10}
"""


def test_what_a_file_says_by_leaving_it_out_is_meant_as_there() -> None:
    role = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    found = translated(SHARED, {role: "http://127.0.0.1/x"})
    alias = found.definitions["aliases"]["gpt"]
    told = {t["model"]: (t.get("tier", 0), t.get("weight", 1)) for t in alias["targets"]}
    assert told == {"mistral-small": (0, 1), "gpt-4o": (1, 1), "gpt-4o-mini": (1, 0),
                    "anthropic.claude": (2, 1)}  # fmt: skip
    assert [(r["name"], r["values"]) for r in alias["rules"]] == [("free-eu", ["free/eu"])]
    assert len(found.definitions["aliases"]["emb"]["targets"]) == 1
    assert found.definitions["providers"]["bedrock"]["secret"] == f"env:{role}"
    assert found.definitions["providers"]["vertex"] == {
        "vendor": "vertex", "secret": "file:/etc/key.json",
        "base_url": "https://europe-west4-aiplatform.googleapis.com/v1",
    }  # fmt: skip
    assert {"fallbacks.emb", "model_list[6].litellm_params.model"} <= lost(found)


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    inside = node.items() if isinstance(node, dict) else ()
    for key, value in enumerate(node) if isinstance(node, list) else inside:
        yield from places(value, (*at, key))


ODD = (None, -3, "", "\u00fc/\u00df\n", [1], {"a": 1}, math.inf, "os.environ/")


def test_one_odd_value_is_listed_or_refused_in_words_and_the_rest_is_imported() -> None:
    config = yaml.safe_load(SHARED)
    for number, at in enumerate(places(config)):
        # Each place meets four of them, for the time's sake: neighbours meet the others.
        for value in ODD[number % 2 :: 2]:
            bad = copy.deepcopy(config)
            inside = reduce(lambda node, key: node[key], at[:-1], bad)
            inside[at[-1]] = value
            try:
                found = translated(yaml.safe_dump(bad), {})
            except InvalidInput:
                continue
            Document.model_validate(found.definitions)


@pytest.mark.parametrize("text", ["- 1", "a: [", "model_list: {a: 1}", "router_settings: 3"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        translated(text, {})
