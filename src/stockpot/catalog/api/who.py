"""Who may call a route, as parameter types."""

from typing import Annotated

from fastapi import Depends

from stockpot.access import Principal, requires

Viewer = Annotated[Principal, Depends(requires("viewer"))]
Editor = Annotated[Principal, Depends(requires("editor"))]
Admin = Annotated[Principal, Depends(requires("admin"))]
