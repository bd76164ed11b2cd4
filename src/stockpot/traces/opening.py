"""Opening an instance's span log. The one place of this package that chooses an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpot.core.instance import Instance
from stockpot.traces.service import SpanLog
from stockpot.traces.store import SpanStore
from stockpot.traces.store.embedded import SqliteSpanStore
from stockpot.traces.store.sqlite import Synchronous

if TYPE_CHECKING:
    from stockpot.traces.forward import Forwarder


def open_store(instance: Instance, synchronous: Synchronous = "NORMAL") -> SpanStore:
    """The span store of an instance, for reading, or for writing by its ingest process.

    "FULL" goes with the setting `fsync = group`: acknowledged records then survive a power loss.
    """
    return SqliteSpanStore(instance.spans, synchronous=synchronous)


def open_span_log(instance: Instance) -> SpanLog:
    """The span log of an instance, as the control plane and the command line read it."""
    return SpanLog(open_store(instance), instance)


def forwarder(instance: Instance, url: str, headers: dict[str, str]) -> Forwarder:
    """Sends every span of an instance on to another backend."""
    from stockpot.traces.forward import Forwarder

    return Forwarder(open_store(instance), url, headers, instance.home / "otlp.place")
