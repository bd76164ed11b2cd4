"""The operations of the API as its own description tells them, and bodies that they accept."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

import httpx
from fastapi import FastAPI

from tests.integration.access.world import Records

READS = {"GET", "HEAD", "OPTIONS"}
ENDLESS = {"tail_traces", "follow_runs"}

# What a schema cannot say of a value: names that mean a record, and patterns.
WORDS: dict[str, Any] = {
    "email": "fresh@example.org",
    "name": "fresh",
    "vendor": "openai-compatible",
    "base_url": "http://127.0.0.1:9/v1",
    "secret_ref": "env:NOT_THERE",
    "password": "correct horse battery",
}


# What an operation needs beyond its schema's required fields.
RULE = {"kind": "threshold", "metric": "calls", "threshold": 9}
POLICY: dict[str, Any] = {
    "name": "fresh", "rules": [{"id": "r", "rail": "words", "settings": {"words": ["salt"]}}],
}  # fmt: skip
SUITE = {"name": "menu", "target": {"kind": "recorded"}, "scorers": [{"use": "exact"}]}
ARMS = [{"name": "a", "weight": 5000}, {"name": "b", "weight": 5000}]
MORE: dict[str, dict[str, Any]] = {
    "create_experiment": {
        "kind": "route",
        "subject": "m",
        "arms": ARMS,
        "metrics": [{"name": "cost"}],
    },
    "ramp_experiment": {"share": 10},
    "plan_experiment": {"baseline": 0.5, "kind": "proportion"},
    "put_suite": SUITE,
    "start_run": {"spec": SUITE},
    "create_judge": {"name": "fresh", "model": "m", "criteria": "It is good."},
    "forecast_run": {"spec": SUITE},
    "start_rightsize": {"candidates": ["lab/m"], "scorers": [{"use": "exact"}]},
    "set_slice": {"conditions": [{"field": "split", "value": "test"}]},
    "ask_for_access": {"limit_nano": 9_000_000_000},
    "create_monitor": {"rule": RULE},
    "change_monitor": {"rule": RULE, "name": "changed"},
    "preview_monitor": {"rule": RULE},
    "silence_monitors": {"until_ms": 8e12},
    "create_channel": {"url": "http://127.0.0.1:9/hook"},
    "change_channel": {"name": "changed"},
    "put_online_rule": {"scorer": {"use": "exact"}},
    "put_drift_check": {"of": "input"},
    "put_canary": {"model": "m", "prompts": ["hello"]},
    "put_pipeline": {"steps": [{"id": "gate", "use": "gate"}]},
    "waive_need": {"until_ms": int(time.time() * 1000) + 86_400_000},
    "put_guardrail_policy": POLICY,
    "bind_guardrail_policy": {"kind": "project"},
    "run_guardrail_test": {"rules": POLICY["rules"], "text": "salt"},
}


class Operation(NamedTuple):
    """One method of one path."""

    name: str
    method: str
    path: str
    access: dict[str, Any]
    body: dict[str, Any] | None
    schemas: dict[str, Any]

    @property
    def public(self) -> bool:
        return bool(self.access.get("public"))

    @property
    def role(self) -> str:
        return str(self.access["role"])

    @property
    def in_projects(self) -> bool:
        return self.access.get("of") == "project"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)", self.path)

    def filled(self, records: Records) -> str:
        """The path, with a real record for each parameter. Where a role on the instance is asked
        for, none is needed: whoever lacks it must not come so far."""
        path = self.path
        for name in self.parameters:
            value = records.named(name)
            guarded = self.public or (not self.in_projects and self.role != "own")
            assert value is not None or guarded, (
                f"{self.method} {self.path} names a record {name!r} that these tests do not know: "
                "add one to tests/integration/access/world.py"
            )
            path = re.sub(rf"\{{{name}(:path)?\}}", value or "1", path)
        return path

    def example(self, records: Records) -> Any:
        """The smallest body that its schema accepts, about these records."""
        if self.body is None:
            return None
        made = self._value(self.body, "", records)
        return {**made, **MORE[self.name]} if self.name in MORE else made

    def _value(self, schema: dict[str, Any], name: str, records: Records) -> Any:
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        known = records.named(name) if name not in WORDS else WORDS[name]
        if known is not None:
            return known
        if "anyOf" in schema:
            return self._value(schema["anyOf"][0], name, records)
        if "enum" in schema:
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        return self._plain(schema, name, records)

    def _plain(self, schema: dict[str, Any], name: str, records: Records) -> Any:
        match schema.get("type"):
            case "object":
                parts = schema.get("properties", {})
                wanted = [n for n in parts if n in schema.get("required", ()) or n in ABOUT]
                return {n: self._value(parts[n], n, records) for n in wanted}
            case "array":
                if "prefixItems" in schema:
                    return [self._value(s, name, records) for s in schema["prefixItems"]]
                return [self._value(schema["items"], name, records)] * schema.get("minItems", 0)
            case "integer" | "number":
                return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
            case "boolean":
                return True
            case _:
                return "x" * max(1, schema.get("minLength", 1))


ABOUT = {
    "project", "key_id", "user_id", "team_id", "subject_id", "trace_id", "request_id", "value",
}  # fmt: skip
"""Fields of a body that name a record: given even where they are optional."""


def operations(app: FastAPI) -> list[Operation]:
    """Everything that the API's description lists."""
    document = app.openapi()
    return [
        Operation(
            told["operationId"],
            method.upper(),
            path,
            told["x-stockpot-access"],
            told.get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema"),
            document["components"]["schemas"],
        )
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


async def call(
    client: httpx.AsyncClient, operation: Operation, path: str, body: Any = None, **headers: str
) -> httpx.Response:
    """One request; what needs no body gets none."""
    sent = {} if operation.body is None else {"json": body if body is not None else {}}
    return await client.request(operation.method, path, headers=headers, **sent)
