"""A stand-in for Azure OpenAI on loopback: the bodies of OpenAI's, the paths of Azure.

Checks path, query and credential as Microsoft's REST reference states them, for the form with
deployments and for `/openai/v1`; sends the filter results that Azure adds to every answer. Shares
no code with the product.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.vendors.openai_stub import VENDOR_KEY, OpenAIStub

ENTRA_TOKEN = "eyJ0eXAiOiJKV1QifQ.entra"
_VERSIONS = ("2024-10-21", "2025-04-01-preview")
_FILTER = {"hate": {"filtered": False, "severity": "safe"}}
_DEPLOYED = re.compile(r"/openai/deployments/([^/]+)/(chat/completions|completions|embeddings)")


@dataclass
class AzureStub(OpenAIStub):
    """`deployments` are the names that exist."""

    deployments: tuple[str, ...] = ("gpt-4o-eu",)

    @property
    def resource(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _refusal(self, path: str, head: dict[str, str]) -> tuple[int, str] | None:
        entra = head.get("authorization") == f"Bearer {ENTRA_TOKEN}"
        if head.get("api-key") != VENDOR_KEY and not entra:
            return 401, "Access denied due to invalid subscription key or wrong API endpoint."
        parts = urlsplit(path)
        version = parse_qs(parts.query).get("api-version", [""])[0]
        if parts.path.startswith("/openai/v1/"):
            known = version in ("", "preview", "latest")
            named = self.requests[-1].get("model")
        else:
            deployed = _DEPLOYED.fullmatch(parts.path)
            known = deployed is not None and version in _VERSIONS
            named = deployed.group(1) if deployed else ""
        if not known:
            return 404, "Resource not found"
        if named not in self.deployments:
            return 404, "The API deployment for this resource does not exist."
        return None

    def _first_events(self, chunk: Any) -> list[str]:
        results = [{"prompt_index": 0, "content_filter_results": _FILTER}]
        body = (
            '{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":%s}'
        )
        return [body % str(results).replace("'", '"').replace("False", "false")]
