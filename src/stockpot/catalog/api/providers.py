"""Routes of vendors and connected providers."""

from fastapi import APIRouter

from stockpot.catalog.api.who import Admin, Editor, Viewer
from stockpot.catalog.models import Provider, ProviderSettings, ProviderVendor, TestResult
from stockpot.catalog.service.providers import ProviderService


def provider_routes(routes: APIRouter, providers: ProviderService) -> None:
    """List, connect, try, remove; rotate the instance's secrets."""

    @routes.get("/vendors", tags=["providers"])
    async def list_vendors(_: Viewer) -> tuple[ProviderVendor, ...]:
        """What can be connected."""
        return providers.vendors()

    @routes.get("/providers", tags=["providers"])
    async def list_providers(_: Viewer) -> tuple[Provider, ...]:
        """What is connected: engines, what was found, what was connected by hand."""
        return await providers.all()

    @routes.put("/providers/{name}", tags=["providers"])
    async def connect_provider(name: str, wanted: ProviderSettings, principal: Admin) -> Provider:
        """Connect a provider, or change it. A secret that is not given again is kept."""
        return await providers.connect(principal, name, wanted)

    @routes.delete("/providers/{name}", status_code=204, tags=["providers"])
    async def remove_provider(name: str, principal: Admin) -> None:
        """Disconnect a provider and delete its secret."""
        await providers.remove(principal, name)

    @routes.post("/providers/{name}/test", tags=["providers"])
    async def try_provider(name: str, principal: Editor) -> TestResult:
        """Ask the provider which models it has."""
        return await providers.test(principal, name)

    @routes.post("/secrets/rotate", tags=["providers"])
    async def rotate_secrets(principal: Admin) -> dict[str, int]:
        """A new secret of the instance; what was sealed with older ones is sealed anew."""
        return {"resealed": await providers.rotate_secrets(principal)}
