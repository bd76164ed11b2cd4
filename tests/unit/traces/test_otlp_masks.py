"""Requests full of spans are cleaned before they touch a disk, and stay what they were besides."""

from __future__ import annotations

import contextlib
import gzip
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from stockpot.core.errors import InvalidInput
from stockpot.gateway.otlp_masks import masked
from stockpot.traces.otlp import JSON, PROTOBUF, read
from tests.unit.traces.test_otlp_protobuf import requests

ANA = "ana@example.org"
AT = 1_700_000_000_000_000_000


def full_of(text: str) -> ExportTraceServiceRequest:
    """A request that says the same text wherever OTLP lets one say something."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(schema_url="https://example.org/1.2.3")
    scope = group.scope_spans.add()
    scope.scope.name = "library"
    span = scope.spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, name=text, start_time_unix_nano=AT,
        end_time_unix_nano=AT + 1,
    )  # fmt: skip
    span.status.message = text
    places: list[Any] = [
        group.resource.attributes, scope.scope.attributes, span.attributes,
        span.events.add(name=text, time_unix_nano=AT).attributes,
        span.links.add(trace_id=b"l" * 16, span_id=b"s" * 8).attributes,
    ]  # fmt: skip
    for field in places:
        field.add(key="told").value.string_value = f"write to {text} soon"
        field.add(key="json").value.string_value = f'[{{"content":"I am {text}","n":1}}]'
        field.add(key="many").value.array_value.values.add().string_value = text
        pair = field.add(key="deep").value.kvlist_value.values.add(key="inner")
        pair.value.string_value = text
        field.add(key="count").value.int_value = 4_111_111_111_111_111
        field.add(key="image").value.string_value = "data:image/png;base64,AAAA4111111111111111"
    return request


def test_what_is_personal_is_gone_from_every_place_and_all_else_is_there() -> None:
    body = full_of(ANA).SerializeToString()
    clean = masked(gzip.compress(body), "protobuf", "gzip")
    found = ExportTraceServiceRequest.FromString(clean)
    label = found.resource_spans[0].scope_spans[0].spans[0].name
    assert label not in (ANA, "")
    assert found == full_of(label)
    told = json_format.MessageToJson(full_of(ANA)).encode()
    in_json = json_format.Parse(masked(told, "json", ""), ExportTraceServiceRequest())
    assert in_json == found


def test_where_nothing_is_found_the_very_bytes_stay() -> None:
    body = full_of("nobody").SerializeToString()
    assert masked(body, "protobuf", "") is body
    told = json_format.MessageToJson(full_of("nobody")).encode()
    assert masked(told, "json", "") is told


def test_a_field_of_tomorrow_does_not_carry_text_past_the_masks() -> None:
    body = full_of("nobody").SerializeToString()
    tomorrow = b"\x9a\x06" + bytes([len(ANA)]) + ANA.encode()
    assert masked(body + tomorrow, "protobuf", "") == body


@given(requests())
def test_whatever_is_sent_stays_readable(request: ExportTraceServiceRequest) -> None:
    body = request.SerializeToString()
    clean = masked(body, "protobuf", "")
    ids = [(one.trace_id, one.span_id, one.start_ns) for one in read(body, PROTOBUF)]
    assert [(one.trace_id, one.span_id, one.start_ns) for one in read(clean, PROTOBUF)] == ids
    told = json_format.MessageToJson(request).encode()
    assert len(list(read(masked(told, "json", ""), JSON))) == len(ids)


@given(st.binary(max_size=300), st.sampled_from(["protobuf", "json"]))
def test_what_cannot_be_read_is_refused(body: bytes, form: str) -> None:
    with contextlib.suppress(InvalidInput):
        masked(body, form, "")
    with pytest.raises(InvalidInput):
        masked(b"\xff" * 40, form, "")
