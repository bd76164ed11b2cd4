"""What an import says of the keys it met: mapped with a remark, or not mapped, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """A key of the file, by its path, and what to know about it."""

    path: str
    reason: str


class Findings:
    """Collects what could not be mapped, and remarks on what was."""

    def __init__(self) -> None:
        self.unmapped: list[Finding] = []
        self.remarks: list[Finding] = []

    def lost(self, path: str, reason: str) -> None:
        """This says something that the definitions cannot."""
        self.unmapped.append(Finding(path, reason))

    def remark(self, path: str, told: str) -> None:
        """This was mapped, not quite as it stands."""
        self.remarks.append(Finding(path, told))

    def table(self, value: Any, path: str) -> Mapping[str, Any]:
        """What should be a table; an empty one, with a finding, where it is none."""
        if value is not None and not isinstance(value, Mapping):
            self.lost(path, f"a table, not {value!r:.60}")
        return value if isinstance(value, Mapping) else {}

    def names(self, value: Any, path: str) -> tuple[str, ...]:
        """What should be a list of names; one alone stands for itself."""
        if isinstance(value, str):
            return (value,)
        if value is not None and not isinstance(value, list | tuple):
            self.lost(path, f"a list of names, not {value!r:.60}")
            return ()
        return tuple(str(name) for name in value or ())

    def rest(
        self, table: Mapping[str, Any], path: str, known: Iterable[str], reasons: Mapping[str, str]
    ) -> None:
        """Every key that nobody read is lost, with its reason where one is known."""
        for key in table.keys() - set(known):
            self.lost(f"{path}.{key}" if path else str(key), reasons.get(str(key), _STRANGE))


_STRANGE = "this importer does not know the key"

_RECORDED = "every call is recorded in the span log; nothing has to be sent elsewhere for it"
_CLIENTS = "a parameter of the request: the client sends it"
_PRICES = "prices come from rows with a source, not from the configuration"
_HEALTH = "targets have breakers of their own, which open and close by what calls meet"
_STORE = "the control plane keeps its records in a store of its own"
_LATER = "not a definition of the gateway"

MODEL = {
    **dict.fromkeys(
        ("temperature", "max_tokens", "top_p", "seed", "stop", "extra_body", "response_format",
         "presence_penalty", "frequency_penalty", "reasoning_effort", "thinking", "drop_params",
         "additional_drop_params", "merge_reasoning_content_in_choices"),
        _CLIENTS,
    ),
    **dict.fromkeys(
        ("input_cost_per_token", "output_cost_per_token", "input_cost_per_second",
         "output_cost_per_second", "cache_read_input_token_cost"),
        _PRICES,
    ),
    "max_budget": "budgets hang on projects and keys, not on an upstream",
    "budget_duration": "budgets hang on projects and keys, not on an upstream",
    "max_parallel_requests": "limits hang on projects and keys, not on an upstream",
    "extra_headers": "headers of upstreams cannot be added",
    "headers": "headers of upstreams cannot be added",
    "organization": "the vendor's key decides the organisation",
    "mock_response": "use the echo model that comes with every instance",
    "max_retries": "retries are a route's: num_retries is mapped",
    "use_in_pass_through": "every path of a dialect is served without a setting",
    "api_version": "the address of the resource's v1 path needs none",
    "configurable_clientside_auth_params": "clients cannot bring an upstream's key",
    "aws_role_name": "a role cannot be assumed here; give a key of Bedrock by reference",
    "aws_session_name": "a role cannot be assumed here; give a key of Bedrock by reference",
}  # fmt: skip
"""Keys of `litellm_params` that are not mapped."""

INFO = dict.fromkeys(
    ("id", "base_model", "description", "version", "supports_function_calling", "max_tokens",
     "max_input_tokens", "max_output_tokens", "supports_vision", "access_groups",
     "health_check_model", "disable_background_health_check", "input_cost_per_token",
     "output_cost_per_token", "tier", "metadata", "owner", "team_id"),
    "what a model is or costs is not configured by hand",
)  # fmt: skip

ROUTER = {
    "allowed_fails": _HEALTH,
    "allowed_fails_policy": _HEALTH,
    "cooldown_time": _HEALTH,
    "disable_cooldowns": _HEALTH,
    "enable_pre_call_checks": "a prompt that is too long is refused by the target, and retried",
    "context_window_fallbacks": "a route does not tell a prompt that is too long from other errors",
    "content_policy_fallbacks": "a route does not tell a refused content from other errors",
    "retry_after": "a vendor's retry-after is respected; waits in between have jitter",
    "redis_host": _STORE,
    "redis_port": _STORE,
    "redis_password": _STORE,
    "redis_url": _STORE,
    "cache_responses": "the exact cache is set for a key or a project",
    "provider_budget_config": "budgets hang on projects and keys, not on a provider",
    "optional_pre_call_checks": "stickiness is a setting of an alias: sticky",
    "set_verbose": "see the setting log_level",
    "debug_level": "see the setting log_level",
    "max_fallbacks": "each tier of an alias is tried once, in order",
    "routing_strategy_args": "the strategies have no such arguments",
    "default_priority": "calls are not queued",
    "polling_interval": "calls are not queued",
}

LITELLM = {
    **dict.fromkeys(
        ("callbacks", "success_callback", "failure_callback", "service_callback",
         "turn_off_message_logging", "langfuse_default_tags", "redact_user_api_key_info"),
        _RECORDED,
    ),
    "allowed_fails": _HEALTH,
    "cooldown_time": _HEALTH,
    "cache": "the exact cache is set for a key or a project",
    "cache_params": "the exact cache is set for a key or a project",
    "drop_params": "what a target cannot say is a recorded degradation: see degrade of an alias",
    "modify_params": "requests are not rewritten but for their dialect",
    "context_window_fallbacks": ROUTER["context_window_fallbacks"],
    "content_policy_fallbacks": ROUTER["content_policy_fallbacks"],
    "set_verbose": "see the setting log_level",
    "json_logs": "see the setting log_level",
    "ssl_verify": "give a certificate by the setting upstream_ca",
    "default_internal_user_params": "keys are made for projects; say limits there",
    "default_team_settings": "keys are made for projects; say limits there",
    "default_team_params": "keys are made for projects; say limits there",
    "upperbound_key_generate_params": "who may make keys is a role; limits hang on the project",
    "default_key_generate_params": "a new key takes its project's policies",
    "max_internal_user_budget": "budgets hang on projects and keys, not on people",
    "internal_user_budget_duration": "budgets hang on projects and keys, not on people",
    "max_end_user_budget": "budgets hang on projects and keys, not on end users",
    "tag_budget_config": "budgets hang on projects and keys, not on tags",
}  # fmt: skip

GENERAL = {
    **dict.fromkeys(
        ("database_url", "database_connection_pool_limit", "database_connection_timeout",
         "store_model_in_db", "store_prompts_in_spend_logs", "disable_spend_logs",
         "proxy_batch_write_at", "allow_requests_on_db_unavailable",
         "disable_prisma_schema_update", "use_redis_transaction_buffer"),
        _STORE,
    ),
    "salt_key": "the instance makes its own secret",
    "alerting": "events are on the console and at /api/v1/events",
    "alerting_threshold": "events are on the console and at /api/v1/events",
    "alert_types": "events are on the console and at /api/v1/events",
    "max_parallel_requests": "a limit for each key alone; say it with the keys",
    "background_health_checks": _HEALTH,
    "health_check_interval": _HEALTH,
    "enable_jwt_auth": "sign-in by OIDC is set up with the instance",
    "custom_auth": "no code runs inside the gateway",
    "pass_through_endpoints": "paths of vendors that no dialect knows are not passed",
    "completion_model": "a client names the model that it wants",
    "disable_adding_master_key_hash_to_db": _STORE,
    "enforce_user_param": "a user is recorded where the client names one",
    "allowed_ips": "say networks with the keys",
    "control_plane_url": _LATER,
}  # fmt: skip

TOP = {
    "environment_variables": "set variables where the control plane runs; values are not imported",
    "include": "import each of the files by itself",
    "guardrails": _LATER,
    "mcp_servers": _LATER,
    "prompts": _LATER,
    "vector_store_registry": _LATER,
    "search_tools": _LATER,
    "files_settings": _LATER,
    "finetune_settings": _LATER,
    "assistant_settings": _LATER,
    "callback_settings": _RECORDED,
    "policies": _LATER,
    "policy_attachments": _LATER,
}
