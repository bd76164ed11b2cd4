"""Routes of API tokens."""

from fastapi import APIRouter

from stockpot.access.api.who import Anyone
from stockpot.access.models import ApiToken, ApiTokenRequest, NewApiToken
from stockpot.access.service.tokens import TokenService


def token_routes(routes: APIRouter, tokens: TokenService) -> None:
    """List, make, revoke."""

    @routes.get("/tokens")
    async def list_tokens(principal: Anyone) -> tuple[ApiToken, ...]:
        """The caller's API tokens; an admin sees all."""
        return await tokens.all(principal)

    @routes.post("/tokens", status_code=201)
    async def create_token(wanted: ApiTokenRequest, principal: Anyone) -> NewApiToken:
        """A new API token. Its secret is shown this once."""
        return await tokens.create(principal, wanted)

    @routes.delete("/tokens/{token_id}", status_code=204)
    async def revoke_token(token_id: str, principal: Anyone) -> None:
        """Revoke an API token; it stops working at once."""
        await tokens.revoke(principal, token_id)
