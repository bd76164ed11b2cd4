"""Who may call a route, as parameter types."""

from typing import Annotated

from fastapi import Depends

from stockpot.access import Principal, requires

Anyone = Annotated[Principal, Depends(requires("own"))]
Viewer = Annotated[Principal, Depends(requires("viewer"))]
Editor = Annotated[Principal, Depends(requires("editor"))]
Admin = Annotated[Principal, Depends(requires("admin"))]

# In the project of the record at hand; the service answers for which one that is.
Member = Annotated[Principal, Depends(requires("own", "project"))]
ProjectEditor = Annotated[Principal, Depends(requires("editor", "project"))]
ProjectAdmin = Annotated[Principal, Depends(requires("admin", "project"))]
EditorOrOwner = Annotated[Principal, Depends(requires("editor", "project", owner=True))]
