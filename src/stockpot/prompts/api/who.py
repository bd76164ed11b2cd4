"""Who may call a route, and how one names a prompt."""

from typing import Annotated

from fastapi import Depends, Path, Query

from stockpot.access import Principal, requires
from stockpot.prompts.models import LABEL

# In the project of the prompt at hand; the service answers for which one that is.
Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Admin = Annotated[Principal, Depends(requires("admin", "project"))]
Application = Annotated[Principal, Depends(requires("viewer", "project", key=True))]
"""Also a virtual key, in its own project."""

Name = Annotated[str, Path(max_length=100)]
Label = Annotated[str, Path(pattern=LABEL)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Project = Annotated[
    str | None,
    Query(max_length=63, description="Where the name alone would not say which prompt is meant."),
]
Ref = Annotated[str, Query(max_length=60)]
