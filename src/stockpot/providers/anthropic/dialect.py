"""Anthropic's dialect: what its SDKs send and expect. Knows JSON bodies; knows no vendor.

Requests are read shallowly; only a translated one is parsed in full.

Source: the types of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stockpot.providers.anthropic.errors import error_body
from stockpot.providers.anthropic.parse import parse
from stockpot.providers.anthropic.write import AnthropicWriter
from stockpot.providers.base import Ask, BadRequest, Endpoint, Headers, Writer
from stockpot.providers.canon import Prompt
from stockpot.providers.counting import CountWriter


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Body(msgspec.Struct):
    model: str
    messages: msgspec.Raw
    max_tokens: int | None = None
    stream: bool | None = False
    metadata: _Metadata | None = None
    system: msgspec.Raw = msgspec.Raw(b"")
    tools: msgspec.Raw = msgspec.Raw(b"")


_body = msgspec.json.Decoder(_Body)


class AnthropicDialect:
    """What Anthropic's SDKs send and expect."""

    name = "anthropic"
    paths: Mapping[bytes, Endpoint] = {
        b"/v1/messages": "chat",
        b"/v1/messages/count_tokens": "count_tokens",
    }
    below = b""

    def endpoint(self, path: bytes) -> Endpoint | None:
        return None

    def read(
        self, endpoint: Endpoint, body: bytes, path: bytes = b"", headers: Headers | None = None
    ) -> Ask:
        """Raises BadRequest naming the field at fault."""
        try:
            head = _body.decode(body)
        except msgspec.ValidationError as bad:
            message, _, where = str(bad).partition(" - at `$")
            param = where.strip("`.")
            raise BadRequest(f"{message}{f' at {param!r}' if param else ''}", param) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as bad:
            raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None
        size = sum(len(memoryview(raw)) for raw in (head.messages, head.system, head.tools))
        return Ask(
            self.name,
            endpoint,
            body,
            head.model,
            endpoint == "chat" and (head.stream or False),
            True,
            size // 4 + 1,
            head.max_tokens or 0,
            1,
            (head.metadata.user_id or "") if head.metadata else "",
            self,
            path,
            headers,
        )

    def parse(self, ask: Ask) -> Prompt:
        return parse(ask.body)

    def writer(self, ask: Ask) -> Writer:
        if ask.endpoint == "count_tokens":
            return CountWriter("input_tokens")
        return AnthropicWriter(ask.model)

    def error(self, status: int, message: str, code: str, param: str = "") -> bytes:
        return error_body(status, message, code, param)
