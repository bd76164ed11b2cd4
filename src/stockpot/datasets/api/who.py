"""Who may call a route, and which data set is meant, as parameter types."""

from typing import Annotated

from fastapi import Depends, Query

from stockpot.access import Principal, requires
from stockpot.datasets.models import ProjectName

Viewer = Annotated[Principal, Depends(requires("viewer", "project"))]
Editor = Annotated[Principal, Depends(requires("editor", "project"))]
Project = Annotated[ProjectName, Query(description="The project of the data set.")]
Ref = Annotated[str, Query(max_length=10, description="A version's number, or `latest`.")]
