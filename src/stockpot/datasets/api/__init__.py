"""The routes of data sets and annotation."""

from fastapi import APIRouter

from stockpot.datasets.api.annotation import annotation_routes
from stockpot.datasets.api.making import making_routes
from stockpot.datasets.api.sets import set_routes
from stockpot.datasets.api.versions import version_routes
from stockpot.datasets.opening import Datasets


def router(datasets: Datasets) -> APIRouter:
    """All routes of data sets."""
    routes = APIRouter(prefix="/api/v1")
    set_routes(routes, datasets)
    version_routes(routes, datasets)
    making_routes(routes, datasets)
    annotation_routes(routes, datasets)
    return routes
