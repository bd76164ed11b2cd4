"""The composition root of the control plane: wires stores, services and routes, once."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from fastapi import Depends, FastAPI

from stockpot import __version__
from stockpot.access import public
from stockpot.core.config import Settings
from stockpot.core.instance import Instance


def control_app(settings: Settings, instance: Instance) -> FastAPI:
    """The control plane's application: API and console."""
    app = FastAPI(title="stockpot", version=__version__)

    @app.get("/readyz", dependencies=[Depends(public)])
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    return app
