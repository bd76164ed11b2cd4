"""A span without what its key's policy keeps out. Knows attributes; what is personal is known by
the gateway's masks."""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.gateway import mask
from stockpot.traces.otlp import json_form
from stockpot.traces.otlp.incoming import Attributes, Incoming


def masked(span: Incoming) -> Incoming:
    """The same span with everything detected replaced, in what is read of it and in its bytes."""
    clean = msgspec.structs.replace(
        span,
        name=_text(span.name),
        message=_text(span.message),
        attributes=_attributes(span.attributes),
        events=[
            msgspec.structs.replace(event, attributes=_attributes(event.attributes))
            for event in span.events
        ],
        links=[
            msgspec.structs.replace(link, attributes=_attributes(link.attributes))
            for link in span.links
        ],
        under=msgspec.structs.replace(span.under, resource=_attributes(span.under.resource)),
    )
    return json_form.rewritten(clean)


def _attributes(found: Attributes) -> Attributes:
    return {name: _value(value) for name, value in found.items()}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return _attributes(value)
    return value


def _text(text: str) -> str:
    """A text, which may be JSON and then stays JSON."""
    if text[:1] in ("{", "["):
        return mask.mask(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    return mask.mask_text(text)
