"""Who asks, and what they may see of the span log."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Request

from stockpot.access import Principal, requires
from stockpot.traces.models import Sight

Viewer = Annotated[Principal, Depends(requires("viewer"))]
Member = Annotated[Principal, Depends(requires("own", "project"))]
OwnedKeys = Callable[[Principal], Awaitable[tuple[str, ...]]]


async def _sight(request: Request, principal: Member) -> Sight | None:
    """What the caller may see: their projects, and elsewhere the calls of their own keys."""
    projects = principal.projects("viewer")
    if projects is None:
        return None
    # The composition root knows who finds out which keys are whose; the span log does not.
    keys = await cast("OwnedKeys", request.app.state.owned_keys)(principal)
    return Sight(projects=projects, keys=frozenset(keys))


Seen = Annotated[Sight | None, Depends(_sight)]
