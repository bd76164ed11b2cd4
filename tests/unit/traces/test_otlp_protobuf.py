"""Our reader of OTLP's protobuf against OpenTelemetry's own classes."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from stockpot.core.errors import InvalidInput
from stockpot.gateway import otlp
from stockpot.traces.otlp import JSON, PROTOBUF, Unreadable, read, read_piece, unpacked
from stockpot.traces.otlp.incoming import Incoming

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/otlp"

numbers = st.integers(-(2**63), 2**63 - 1)
leaves = st.one_of(
    st.text(max_size=40).map(lambda v: AnyValue(string_value=v)),
    st.booleans().map(lambda v: AnyValue(bool_value=v)),
    numbers.map(lambda v: AnyValue(int_value=v)),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda v: AnyValue(double_value=v)),
    st.binary(max_size=200).map(lambda v: AnyValue(bytes_value=v)),
)


def nested(inner: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    def mapping(found: dict[str, AnyValue]) -> AnyValue:
        pairs = [{"key": name, "value": value} for name, value in found.items()]
        return AnyValue(kvlist_value={"values": pairs})

    lists = st.lists(inner, max_size=3).map(lambda vs: AnyValue(array_value={"values": vs}))
    return lists | st.dictionaries(st.text(max_size=5), inner, max_size=3).map(mapping)


values = st.recursive(leaves, nested, max_leaves=6)
attributes = st.dictionaries(st.text(max_size=150), values, max_size=6)
times = st.integers(0, 2**64 - 1)


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        group = request.resource_spans.add(schema_url=draw(st.text(max_size=5)))
        tell(group.resource.attributes, draw(attributes))
        scope = group.scope_spans.add()
        scope.scope.name = draw(st.text(max_size=200))
        for _ in range(draw(st.integers(0, 2))):
            span = scope.spans.add(
                trace_id=draw(st.binary(max_size=16)), span_id=draw(st.binary(max_size=8)),
                parent_span_id=draw(st.binary(max_size=8)), name=draw(st.text(max_size=300)),
                trace_state=draw(st.text(max_size=5)), kind=draw(st.integers(0, 5)),
                start_time_unix_nano=draw(times), end_time_unix_nano=draw(times),
                flags=draw(st.integers(0, 2**32 - 1)),
            )  # fmt: skip
            span.status.code = draw(st.integers(0, 2))
            span.status.message = draw(st.text(max_size=20))
            tell(span.attributes, draw(attributes))
            event = span.events.add(name=draw(st.text(max_size=9)), time_unix_nano=draw(times))
            tell(event.attributes, draw(attributes))
            link = span.links.add(trace_id=draw(st.binary(max_size=16)))
            tell(link.attributes, draw(attributes))
    return request


def tell(field: Any, given: dict[str, AnyValue]) -> None:
    for name, value in given.items():
        field.add(key=name, value=value)


def plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [plain(one) for one in value.array_value.values]
        case "kvlist_value":
            return {one.key: plain(one.value) for one in value.kvlist_value.values}
        case "bytes_value":
            return value.bytes_value.hex()
        case None:
            return None
        case name:
            return getattr(value, name)


def told(field: Any) -> dict[str, Any]:
    return {one.key: plain(one.value) for one in field}


@given(requests())
def test_what_is_read_is_what_the_official_classes_wrote(
    request: ExportTraceServiceRequest,
) -> None:
    found = list(read(request.SerializeToString(), PROTOBUF))
    wanted = [
        (span, scope.scope, group.resource)
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    assert len(found) == len(wanted)
    for ours, (span, scope, resource) in zip(found, wanted, strict=True):
        same(ours, span, scope, resource)
        same(read_piece(ours.piece), span, scope, resource)


def same(ours: Incoming, span: Any, scope: Any, resource: Any) -> None:
    assert (ours.trace_id, ours.span_id, ours.parent_id) == (
        span.trace_id, span.span_id, span.parent_span_id,
    )  # fmt: skip
    assert (ours.name, ours.flags) == (span.name, span.flags)
    assert (ours.start_ns, ours.end_ns) == (span.start_time_unix_nano, span.end_time_unix_nano)
    assert (ours.status, ours.message) == (span.status.code, span.status.message)
    assert ours.attributes == told(span.attributes)
    assert ours.under.resource == told(resource.attributes)
    assert ours.under.scope == scope.name
    assert [(e.name, e.at_ns, e.attributes) for e in ours.events] == [
        (e.name, e.time_unix_nano, told(e.attributes)) for e in span.events
    ]
    assert [k.attributes for k in ours.links] == [told(k.attributes) for k in span.links]
    assert ours.raw == span.SerializeToString()


@given(requests(), st.data())
def test_damaged_bytes_are_unreadable_and_nothing_worse(
    request: ExportTraceServiceRequest, data: st.DataObject
) -> None:
    body = bytearray(request.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Unreadable):
        list(read(bytes(body[: data.draw(st.integers(0, len(body)))]), PROTOBUF))


@pytest.mark.parametrize("name", [path.stem for path in FIXTURES.glob("*.pb")])
def test_json_tells_the_same_as_protobuf(name: str) -> None:
    body = (FIXTURES / f"{name}.pb").read_bytes()
    request = ExportTraceServiceRequest.FromString(body)
    told = json_format.MessageToDict(request)
    for group in told["resourceSpans"]:  # ids are base64 there: both spellings are taken
        assert group["scopeSpans"]
    in_json = read(json_format.MessageToJson(request).encode(), JSON)
    for ours, theirs in zip(read(body, PROTOBUF), in_json, strict=True):
        for field in ("trace_id", "span_id", "parent_id", "name", "start_ns", "end_ns", "status"):
            assert getattr(ours, field) == getattr(theirs, field)
        assert ours.attributes == theirs.attributes
        assert ours.under.resource == theirs.under.resource
        assert [e.attributes for e in ours.events] == [e.attributes for e in theirs.events]
        assert read_piece(theirs.piece) == theirs


def test_packed_bodies_are_unpacked_up_to_a_bound() -> None:
    body = b"span " * 5000
    packed = {
        "": body,
        "identity": body,
        "gzip": gzip.compress(body[:99]) + gzip.compress(body[99:]),
        "deflate": zlib.compress(body),
        "zstd": zstandard.compress(body),
    }
    for encoding, sent in packed.items():
        assert unpacked(sent, encoding, len(body)) == body
        if encoding not in ("", "identity"):
            with pytest.raises(InvalidInput, match="at most"):
                unpacked(sent, encoding, len(body) - 1)
            with pytest.raises(InvalidInput, match=encoding):
                unpacked(sent[: len(sent) // 2], encoding, len(body))
    raw = zlib.compressobj(wbits=-15)
    assert unpacked(raw.compress(body) + raw.flush(), "deflate", len(body)) == body
    with pytest.raises(InvalidInput, match="br"):
        unpacked(body, "br", len(body))


def test_answers_are_what_the_protocol_says() -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceResponse,
    )

    assert otlp.partial_body(0, "", "protobuf") == b""
    answer = ExportTraceServiceResponse.FromString(otlp.partial_body(300, "so", "protobuf"))
    assert answer.partial_success.rejected_spans == 300
    assert answer.partial_success.error_message == "so"
    in_json = json_format.Parse(otlp.partial_body(300, "so", "json"), ExportTraceServiceResponse())
    assert in_json == answer
