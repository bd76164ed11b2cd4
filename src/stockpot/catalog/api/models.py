"""Routes of models and aliases. A model's name may hold slashes."""

from fastapi import APIRouter

from stockpot.access import allows
from stockpot.catalog.api.who import Anyone, Editor
from stockpot.catalog.catalog import Catalog
from stockpot.catalog.models import Model, RouteSettings, TestResult


def model_routes(routes: APIRouter, catalog: Catalog) -> None:
    """List, alias, try."""
    models = catalog.models

    @routes.get("/models", tags=["models"])
    async def list_models(principal: Anyone) -> tuple[Model, ...]:
        """The names that applications may ask for, and what serves them; where that is, only
        viewers of the instance are told."""
        found = await models.all()
        return found if allows(principal, "viewer") else tuple(map(_without_places, found))

    @routes.post("/models/{name:path}/test", tags=["models"])
    async def try_model(name: str, principal: Editor) -> TestResult:
        """One small real call to the model, through the gateway."""
        return await catalog.trial.run(principal, await models.named(name))

    @routes.put("/models/{name:path}", tags=["models"])
    async def set_alias(name: str, wanted: RouteSettings, principal: Editor) -> Model:
        """Define an alias: weighted targets in tiers."""
        return await models.set_alias(principal, name, wanted)

    @routes.delete("/models/{name:path}", status_code=204, tags=["models"])
    async def remove_alias(name: str, principal: Editor) -> None:
        """Remove an alias."""
        await models.remove_alias(principal, name)


def _without_places(model: Model) -> Model:
    targets = (t.model_copy(update={"base_url": "", "last_error": ""}) for t in model.targets)
    return model.model_copy(update={"targets": tuple(targets)})
