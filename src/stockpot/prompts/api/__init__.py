"""The routes of prompts. Names are unique in a project; `project` says which one, where needed."""

from fastapi import APIRouter

from stockpot.prompts.api.labels import label_routes
from stockpot.prompts.api.prompts import prompt_routes
from stockpot.prompts.api.reading import reading_routes
from stockpot.prompts.wiring import Prompts


def router(prompts: Prompts) -> APIRouter:
    """All routes of prompts."""
    routes = APIRouter(prefix="/api/v1", tags=["prompts"])
    prompt_routes(routes, prompts.prompts, prompts.meaning)
    reading_routes(routes, prompts.reading, prompts.metrics)
    label_routes(routes, prompts.labels)
    return routes
