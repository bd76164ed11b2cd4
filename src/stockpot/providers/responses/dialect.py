"""The Responses dialect: what OpenAI's SDKs send to `/v1/responses`. Knows bodies, no vendor.

Source: the types of the `openai` package (`openai.types.responses`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stockpot.providers.base import Ask, BadRequest, Endpoint, Headers, Writer
from stockpot.providers.canon import Prompt
from stockpot.providers.responses.parse import parse_responses
from stockpot.providers.responses.write import ResponsesWriter

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class _Head(msgspec.Struct):
    model: str
    input: msgspec.Raw = msgspec.Raw(b"")
    instructions: msgspec.Raw = msgspec.Raw(b"")
    stream: bool | None = False
    max_output_tokens: int | None = None
    user: str | None = None
    safety_identifier: str | None = None


_head = msgspec.json.Decoder(_Head)


class ResponsesDialect:
    """OpenAI's Responses. Errors have the shape of OpenAI's other endpoints."""

    name = "responses"
    paths: Mapping[bytes, Endpoint] = {
        b"/v1/responses": "chat",
        b"/openai/responses": "chat",  # Azure's, of both its forms
        b"/openai/v1/responses": "chat",
    }
    below = b""

    def endpoint(self, path: bytes) -> Endpoint | None:
        return None

    def read(
        self, endpoint: Endpoint, body: bytes, path: bytes = b"", headers: Headers | None = None
    ) -> Ask:
        try:
            head = _head.decode(body)
        except msgspec.ValidationError as bad:
            message, _, where = str(bad).partition(" - at `$")
            param = where.strip("`.")
            raise BadRequest(f"{message}{f' at {param!r}' if param else ''}", param) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as bad:
            raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None
        size = len(memoryview(head.input)) + len(memoryview(head.instructions))
        return Ask(
            "responses",
            "chat",
            body,
            head.model,
            head.stream or False,
            True,
            size // 4 + 1,
            head.max_output_tokens or 0,
            1,
            head.user or head.safety_identifier or "",
            self,
        )

    def parse(self, ask: Ask) -> Prompt:
        return parse_responses(ask.body)

    def writer(self, ask: Ask) -> Writer:
        return ResponsesWriter(ask)

    def error(self, status: int, message: str, code: str, param: str = "") -> bytes:
        kind = _KINDS.get(status, "api_error")
        body = {"message": message, "type": kind, "param": param or None, "code": code}
        return msgspec.json.encode({"error": body})
