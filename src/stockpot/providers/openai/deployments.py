"""OpenAI's dialect under Azure's paths: what `AzureOpenAI` of the stock SDKs sends.

    /openai/deployments/DEPLOYMENT/chat/completions?api-version=...    DEPLOYMENT is the model
    /openai/v1/chat/completions                                        the body names the model

The version of the API is not looked at. Knows paths and bodies; knows no vendor, no socket.

Source: Microsoft's Azure OpenAI REST reference (2024-10-21 and v1), `openai.lib.azure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from stockpot.providers.base import Ask, Endpoint, Headers
from stockpot.providers.model_name import renamed
from stockpot.providers.openai import media
from stockpot.providers.openai.dialect import OpenAIDialect
from stockpot.providers.openai.multipart import Form


class _Named(msgspec.Struct):
    model: str | None = None


_DEPLOYMENTS = b"/openai/deployments/"
_named = msgspec.json.Decoder(_Named)


class AzureDialect(OpenAIDialect):
    """The same bodies; the deployment of the path stands above the body's model."""

    paths: Mapping[bytes, Endpoint] = {}
    below = b"/openai/"

    def endpoint(self, path: bytes) -> Endpoint | None:
        if path.startswith(_DEPLOYMENTS):
            name, _, rest = path[len(_DEPLOYMENTS) :].partition(b"/")
            return OpenAIDialect.paths.get(b"/v1/" + rest) if name else None
        return OpenAIDialect.paths.get(path.removeprefix(b"/openai"))

    def read(
        self, endpoint: Endpoint, body: bytes, path: bytes = b"", headers: Headers | None = None
    ) -> Ask:
        if path.startswith(_DEPLOYMENTS):
            said = path[len(_DEPLOYMENTS) :].partition(b"/")[0]
            deployment = unquote(said.decode("latin-1"))
            kind = (headers or {}).get(b"content-type", b"")
            named = _form_for if endpoint in media.FORMS else _json_for
            body = named(body, deployment, kind)
        return super().read(endpoint, body, path, headers)


def _json_for(body: bytes, deployment: str, _: bytes) -> bytes:
    try:
        same = _named.decode(body).model == deployment
        return body if same else renamed(body, deployment)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return body  # what is wrong with it is said where it is read


def _form_for(body: bytes, deployment: str, kind: bytes) -> bytes:
    part = Form(body, kind).field("model")
    if part is None or body[part.begin : part.end] == deployment.encode():
        return body
    return b"%b%b%b" % (body[: part.begin], deployment.encode(), body[part.end :])
