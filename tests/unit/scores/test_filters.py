"""A filter of scores is made out of one of spans, and takes whatever that one took."""

from __future__ import annotations

from pydantic import BaseModel

from stockpot.traces import ScoreFilter, TraceFilter
from stockpot.traces.api.shape import ChangesQuery
from stockpot.traces.api.subjects import ConversationQuery
from stockpot.traces.models import SubjectFilter


def longest(model: type[BaseModel], name: str) -> int:
    """How long a field's text may be, as its JSON schema tells it."""
    told = model.model_json_schema()["properties"][name]
    found = [
        part.get("maxLength") for part in (told, *told.get("anyOf", ())) if "maxLength" in part
    ]
    assert found, f"{model.__name__}.{name} is a text of any length"
    return int(found[0])


def test_filters_bound_the_same_name_alike() -> None:
    names = {"project", "environment", "model", "prompt_name", "session", "user", "variant"}
    for name in names:
        bounds = {
            model.__name__: longest(model, name)
            for model in (TraceFilter, ScoreFilter, ChangesQuery, SubjectFilter, ConversationQuery)
            if name in model.model_fields
        }
        assert len(set(bounds.values())) == 1, bounds
