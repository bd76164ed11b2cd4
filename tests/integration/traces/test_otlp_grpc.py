"""OTLP over gRPC, as its own exporters speak it."""

from __future__ import annotations

from pathlib import Path

import grpc
import grpc.aio
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from stockpot.core.ports import free
from stockpot.traces import TraceFilter, open_span_log
from tests.integration.control.plane import running
from tests.integration.gateway.conftest import free_port
from tests.integration.traces.processes import Ingest
from tests.integration.traces.test_otlp import batch, with_key

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
