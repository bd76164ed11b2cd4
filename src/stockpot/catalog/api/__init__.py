"""The routes of the catalog: `router` for people and programs, `internal_router` for workers."""

from fastapi import APIRouter

from stockpot.catalog.api.instance import instance_routes
from stockpot.catalog.api.internal import internal_routes
from stockpot.catalog.api.keys import key_routes
from stockpot.catalog.api.models import model_routes
from stockpot.catalog.api.prices import price_routes
from stockpot.catalog.api.projects import project_routes
from stockpot.catalog.api.providers import provider_routes
from stockpot.catalog.api.requests import request_routes
from stockpot.catalog.catalog import Catalog


def router(catalog: Catalog) -> APIRouter:
    """All public routes of the catalog."""
    routes = APIRouter(prefix="/api/v1")
    project_routes(routes, catalog.projects)
    key_routes(routes, catalog.keys)
    provider_routes(routes, catalog.providers)
    model_routes(routes, catalog)
    price_routes(routes, catalog.prices)
    request_routes(routes, catalog.requests)
    instance_routes(routes, catalog)
    return routes


def internal_router(catalog: Catalog) -> APIRouter:
    """What the instance's own processes call; MessagePack, not part of the public API."""
    routes = APIRouter(prefix="/internal", include_in_schema=False)
    internal_routes(routes, catalog)
    return routes
