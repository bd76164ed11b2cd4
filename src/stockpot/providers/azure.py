"""The Azure OpenAI wire: OpenAI's bodies under Azure's paths. Knows paths, no socket.

Two forms, told apart by the base URL:

    https://NAME.openai.azure.com/openai/v1   paths as OpenAI's; the body names the deployment
    https://NAME.openai.azure.com             /openai/deployments/DEPLOYMENT/...?api-version=...

Options of a target: `deployment` where its name is not the model's, `api_version`, and
`entra_token` where the credential is a token of Entra ID; else it is the target's `api-key`.

Source: Microsoft's Azure OpenAI REST reference (2024-10-21 and v1), `openai.lib.azure`.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from stockpot.providers.base import Ask, CannotExpress, Outgoing, UpstreamTarget
from stockpot.providers.openai import OpenAIWire

API_VERSION = "2024-10-21"
"""The last version of the older form that is generally available."""

_DEPLOYED = frozenset((
    "/completions", "/chat/completions", "/embeddings", "/audio/transcriptions",
    "/audio/translations", "/audio/speech", "/images/generations", "/images/edits",
))  # fmt: skip
_UNKNOWN = frozenset(("/moderations", "/rerank"))


class _Deployment(msgspec.Struct, frozen=True):
    """A target whose model is called as its deployment is."""

    model: str
    base_url: str
    stream_usage: str
    native: tuple[str, ...]
    options: dict[str, str]


class AzureWire(OpenAIWire):
    """OpenAI's models on Azure."""

    name = "azure-openai"
    newest = True

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        options = target.options
        deployment = options.get("deployment")
        named = target if deployment is None else _deployed(target, deployment)
        out = super().outgoing(ask, named)
        if token := options.get("entra_token"):
            bearer = ("authorization", f"Bearer {token}")
            out = msgspec.structs.replace(out, headers=(*out.headers, bearer))
        if out.path in _UNKNOWN:
            raise CannotExpress(f"Azure OpenAI has nothing like {out.path!r}")
        version = options.get("api_version", "")
        if target.base_url.rstrip("/").endswith("/openai/v1"):
            query = f"?api-version={quote(version)}" if version else ""
            return msgspec.structs.replace(out, path=out.path + query)
        under = f"/deployments/{quote(named.model, safe='')}" if out.path in _DEPLOYED else ""
        path = f"/openai{under}{out.path}?api-version={quote(version or API_VERSION)}"
        return msgspec.structs.replace(out, path=path)


def _deployed(target: UpstreamTarget, deployment: str) -> _Deployment:
    options = dict(target.options)
    return _Deployment(deployment, target.base_url, target.stream_usage, target.native, options)
