"""The routes of the span log."""

from fastapi import APIRouter

from stockpot.traces.api.log import log_routes
from stockpot.traces.api.otlp import otlp_router
from stockpot.traces.api.shadow import shadow_routes
from stockpot.traces.api.shape import Rated, shape_routes
from stockpot.traces.api.subjects import subject_routes
from stockpot.traces.api.who import Member, Seen, Viewer
from stockpot.traces.service import SpanLog

__all__ = ["Member", "Seen", "Viewer", "otlp_router", "router"]


def router(service: SpanLog, rated: Rated | None = None) -> APIRouter:
    """All routes of the span log; `rated` tells the scores that stand beside what changed."""
    routes = APIRouter(prefix="/api/v1", tags=["traces"])
    subject_routes(routes, service)
    shape_routes(routes, service, rated)
    shadow_routes(routes, service)
    log_routes(routes, service)
    return routes
