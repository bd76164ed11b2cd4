"""OTLP over gRPC, as its own exporters speak it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from stockpot.core.ports import free
from stockpot.traces import TraceFilter, open_span_log
from stockpot.traces.receiving.grpc_face import address_of
from tests.integration.control.plane import running
from tests.integration.gateway.conftest import free_port
from tests.integration.traces.processes import Ingest
from tests.integration.traces.test_otlp import PROTOBUF, batch, with_key

pytestmark = pytest.mark.integration


async def test_grpc_takes_spans_with_a_key_and_says_who_may_not(tmp_path: Path) -> None:
    port = free_port()
    async with running(tmp_path / "home", otlp_grpc_port=port) as plane:
        secret = (await with_key(plane)).headers["authorization"]
        ingest = Ingest(plane.instance.home)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            send = TraceServiceStub(channel).Export  # type: ignore[no-untyped-call]
            request = ExportTraceServiceRequest.FromString(batch(1))
            request.resource_spans[0].scope_spans[0].spans.add(name="without ids")
            told = {"metadata": (("authorization", secret),), "wait_for_ready": True, "timeout": 30}
            answer: ExportTraceServiceResponse = await send(request, **told)
            assert answer.partial_success.rejected_spans == 1
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await send(request, metadata=(("authorization", "Bearer nobody"),))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            log = open_span_log(plane.instance)
            rows = log.traces(TraceFilter(environment="staging")).items
            assert len(rows) == 5
            log.close()
            ingest.end()
            assert await send(request, **told) == ExportTraceServiceResponse()  # in the spool
    assert free("127.0.0.1", port)


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [("otlp_backlog_mb", 429, "RESOURCE_EXHAUSTED"), ("spool_payload_mb", 503, "UNAVAILABLE")],
)
async def test_a_spool_without_room_says_when_to_come_again(
    tmp_path: Path, setting: str, status: int, code: str
) -> None:
    port = free_port()
    async with running(tmp_path / "home", otlp_grpc_port=port, **{setting: 0}) as plane:
        shop = await with_key(plane)
        answer = await shop.post("/v1/traces", content=batch(1), headers=PROTOBUF)
        assert answer.status_code == status
        assert int(answer.headers["retry-after"]) > 0
        told = (("authorization", shop.headers["authorization"]),)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            send = TraceServiceStub(channel).Export  # type: ignore[no-untyped-call]
            request = ExportTraceServiceRequest.FromString(batch(1))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await send(request, metadata=told, wait_for_ready=True, timeout=60)
        assert refused.value.code() is grpc.StatusCode[code]
        details = dict(refused.value.trailing_metadata() or ())["grpc-status-details-bin"]
        assert isinstance(details, bytes)
        for said in (answer.content, details):
            assert delay_in(said, grpc.StatusCode[code].value[0]) > 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "2001:db8::7"])
def test_callers_are_known_by_their_address_also_in_ipv6(host: str) -> None:
    peer = f"ipv6:%5B{host}%5D:4317" if ":" in host else f"ipv4:{host}:4317"
    assert address_of(peer) == host


def delay_in(said: bytes, code: int) -> int:
    """Seconds until another try, as a reader of google.rpc.Status with RetryInfo takes them."""
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2, duration_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    rpc = descriptor_pb2.FileDescriptorProto(
        name="rpc.proto", package="google.rpc", syntax="proto3",
        dependency=["google/protobuf/any.proto", "google/protobuf/duration.proto"],
    )  # fmt: skip
    kept = rpc.message_type.add(name="Status")
    kept.field.add(name="code", number=1, type=5, label=1)
    kept.field.add(name="message", number=2, type=9, label=1)
    many = kept.field.add(name="details", number=3, type=11, label=3)
    many.type_name = ".google.protobuf.Any"
    again = rpc.message_type.add(name="RetryInfo")
    delay = again.field.add(name="retry_delay", number=1, type=11, label=1)
    delay.type_name = ".google.protobuf.Duration"
    pool.AddSerializedFile(rpc.SerializeToString())
    made, retry = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"google.rpc.{name}"))
        for name in ("Status", "RetryInfo")
    )
    status: Any = made.FromString(said)
    assert status.code == code
    (detail,) = status.details
    assert detail.type_url == "type.googleapis.com/google.rpc.RetryInfo"
    later: Any = retry.FromString(detail.value)
    return int(later.retry_delay.seconds)
