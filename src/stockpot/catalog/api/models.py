"""Routes of models and aliases. A model's name may hold slashes."""

from fastapi import APIRouter

from stockpot.catalog.api.who import Editor, Viewer
from stockpot.catalog.catalog import Catalog
from stockpot.catalog.models import Model, RouteSettings, TestResult


def model_routes(routes: APIRouter, catalog: Catalog) -> None:
    """List, alias, try."""
    models = catalog.models

    @routes.get("/models", tags=["models"])
    async def list_models(_: Viewer) -> tuple[Model, ...]:
        """The names that applications may ask for, and what serves them."""
        return await models.all()

    @routes.post("/models/{name:path}/test", tags=["models"])
    async def try_model(name: str, _: Editor) -> TestResult:
        """One small real call to the model, through the gateway."""
        return await catalog.trial.run(await models.named(name))

    @routes.put("/models/{name:path}", tags=["models"])
    async def set_alias(name: str, wanted: RouteSettings, principal: Editor) -> Model:
        """Define an alias: weighted targets in tiers."""
        return await models.set_alias(principal, name, wanted)

    @routes.delete("/models/{name:path}", status_code=204, tags=["models"])
    async def remove_alias(name: str, principal: Editor) -> None:
        """Remove an alias."""
        await models.remove_alias(principal, name)
