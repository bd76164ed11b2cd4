"""Whether a call meets a route's rule. Knows headers, tags, metadata and projects; no target.

Metadata is the `metadata` object that OpenAI's and Anthropic's dialects have in the body. The body
is looked at again only for a route that has such a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from stockpot.gateway.models import Rule


class _Body(msgspec.Struct):
    metadata: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Body).decode


class Facts:
    """What rules may ask about one call; the body is read once, and only when asked for."""

    __slots__ = ("_body", "_headers", "_metadata", "_project")

    def __init__(self, headers: Mapping[bytes, bytes], body: bytes, project: str) -> None:
        self._headers = headers
        self._body = body
        self._project = project
        self._metadata: dict[str, Any] | None = None

    def meet(self, rule: Rule) -> bool:
        """Whether this call is one of the rule's."""
        if rule.source == "header":
            said = self._headers.get(rule.field.encode("latin-1"))
            return said is not None and said.decode("utf-8", "replace") in rule.values
        if rule.source == "tag":
            tags = self._headers.get(b"x-stockpot-tags", b"").decode("utf-8", "replace")
            return any(tag.strip() in rule.values for tag in tags.split(",")) if tags else False
        if rule.source == "project":
            return self._project in rule.values
        return _text(self.metadata.get(rule.field)) in rule.values

    @property
    def metadata(self) -> dict[str, Any]:
        if self._metadata is None:
            try:
                self._metadata = _decode(self._body).metadata or {}
            except msgspec.MsgspecError:
                self._metadata = {}
        return self._metadata


def _text(value: Any) -> str | None:
    """As a rule writes it: true is `true`, 3 is `3`."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode() if isinstance(value, bool | int | float) else None
