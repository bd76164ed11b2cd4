"""What the small programs beside this file share: a tracer that sends OTLP, a model's name."""

import contextlib
import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = os.environ["MODEL"]


@contextlib.contextmanager
def provider(service):
    """A tracer provider of a service; all that it saw is sent when the block ends."""
    about = {
        "service.name": service,
        "service.version": "1.4.2",
        "deployment.environment.name": "staging",
    }
    tracing = TracerProvider(resource=Resource.create(about))
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    yield tracing
    tracing.shutdown()
