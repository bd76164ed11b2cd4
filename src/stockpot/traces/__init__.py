"""The span log: every call that the gateway made, findable, countable, and provably complete.

Knows spans, payloads, rollups and how shipments of records become them; knows nothing of prompts,
data sets or experiments, and of keys and projects only their names. Other capabilities read it
through `SpanLog`; another engine stands behind `SpanStore`.

What is offered here is loaded when it is first used, so that a command that needs a model alone
does not load a database driver.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockpot.traces.api import Member, Seen, otlp_router, router
    from stockpot.traces.badges import (
        Badge,
        CertificateState,
        Certifying,
        badge_words,
        is_judge,
        unmeasured,
    )
    from stockpot.traces.ingest import ingest_app
    from stockpot.traces.keeping.api import keeping_router
    from stockpot.traces.keeping.service import Calls, Keeping
    from stockpot.traces.keeping.writing import WriterOf
    from stockpot.traces.measure import Measure
    from stockpot.traces.models import (
        ExportedSpan,
        Group,
        Overview,
        Payload,
        Point,
        Quantiles,
        Sight,
        Span,
        Tokens,
        Totals,
        Trace,
        TraceFilter,
        TracePage,
        TraceRow,
        Verification,
    )
    from stockpot.traces.names import REPLAY, REPLAY_OF
    from stockpot.traces.opening import forwarder, open_span_log, open_store
    from stockpot.traces.receiving.door import Door
    from stockpot.traces.receiving.grpc_face import serve_grpc
    from stockpot.traces.receiving.sender import Sender
    from stockpot.traces.scores.api import score_router
    from stockpot.traces.scores.beside import ScoresBeside
    from stockpot.traces.scores.distance import edit_distance, edit_share
    from stockpot.traces.scores.models import (
        NewScore,
        Score,
        ScoreBy,
        ScoreFilter,
        ScorePage,
        ScoreSummary,
        Written,
    )
    from stockpot.traces.scores.output import output_text
    from stockpot.traces.scores.service import Projects, ScoreService
    from stockpot.traces.service import OffsetMismatch, SpanLog
    from stockpot.traces.sketch import Sketch
    from stockpot.traces.store import SpanStore
    from stockpot.traces.unit_figures import UnitFigures, UnitSums

__all__ = [
    "REPLAY",
    "REPLAY_OF",
    "Badge",
    "Calls",
    "CertificateState",
    "Certifying",
    "Door",
    "ExportedSpan",
    "Group",
    "Keeping",
    "Measure",
    "Member",
    "NewScore",
    "OffsetMismatch",
    "Overview",
    "Payload",
    "Point",
    "Projects",
    "Quantiles",
    "Score",
    "ScoreBy",
    "ScoreFilter",
    "ScorePage",
    "ScoreService",
    "ScoreSummary",
    "ScoresBeside",
    "Seen",
    "Sender",
    "Sight",
    "Sketch",
    "Span",
    "SpanLog",
    "SpanStore",
    "Tokens",
    "Totals",
    "Trace",
    "TraceFilter",
    "TracePage",
    "TraceRow",
    "UnitFigures",
    "UnitSums",
    "Verification",
    "WriterOf",
    "Written",
    "badge_words",
    "edit_distance",
    "edit_share",
    "forwarder",
    "ingest_app",
    "is_judge",
    "keeping_router",
    "open_span_log",
    "open_store",
    "otlp_router",
    "output_text",
    "router",
    "score_router",
    "serve_grpc",
    "unmeasured",
]

_ELSEWHERE = {
    **dict.fromkeys(
        ("Badge", "CertificateState", "Certifying", "badge_words", "is_judge", "unmeasured"),
        "badges",
    ),
    **dict.fromkeys(
        ("NewScore", "Score", "ScoreBy", "ScoreFilter", "ScorePage", "ScoreSummary", "Written"),
        "scores.models",
    ),
    **dict.fromkeys(("edit_distance", "edit_share"), "scores.distance"),
    "output_text": "scores.output",
    "Projects": "scores.service",
    "ScoreService": "scores.service",
    "ScoresBeside": "scores.beside",
    "score_router": "scores.api",
    "Measure": "measure",
    "OffsetMismatch": "service",
    "Sketch": "sketch",
    "SpanLog": "service",
    "SpanStore": "store",
    **dict.fromkeys(("UnitFigures", "UnitSums"), "unit_figures"),
    "Calls": "keeping.service",
    "Keeping": "keeping.service",
    "WriterOf": "keeping.writing",
    "keeping_router": "keeping.api",
    **dict.fromkeys(("REPLAY", "REPLAY_OF"), "names"),
    "forwarder": "opening",
    "ingest_app": "ingest",
    "open_span_log": "opening",
    "open_store": "opening",
    **dict.fromkeys(("Member", "Seen", "otlp_router", "router"), "api"),
    "Door": "receiving.door",
    "Sender": "receiving.sender",
    "serve_grpc": "receiving.grpc_face",
}
"""Where a name is that is not a model."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_ELSEWHERE.get(name, 'models')}")
    return getattr(module, name)
