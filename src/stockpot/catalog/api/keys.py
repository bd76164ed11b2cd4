"""Routes of virtual keys."""

from typing import Annotated

from fastapi import APIRouter, Query

from stockpot.catalog.api.who import EditorOrOwner, Member, ProjectEditor
from stockpot.catalog.models import CreatedKey, KeySettings, NewKey, VirtualKey
from stockpot.catalog.service.keys import KeyService


def key_routes(routes: APIRouter, keys: KeyService) -> None:
    """List, create, change, rotate, revoke."""

    @routes.get("/keys", tags=["keys"])
    async def list_keys(
        principal: Member, include_revoked: Annotated[bool, Query()] = False
    ) -> tuple[VirtualKey, ...]:
        """Virtual keys, newest first; with the role `own` those of the caller."""
        return await keys.all(principal, revoked=include_revoked)

    @routes.post("/keys", status_code=201, tags=["keys"])
    async def create_key(new: NewKey, principal: ProjectEditor) -> CreatedKey:
        """A new key. Its secret is shown this once."""
        return await keys.create(principal, new)

    @routes.patch("/keys/{key_id}", tags=["keys"])
    async def change_key(
        key_id: str,
        wanted: KeySettings,
        principal: EditorOrOwner,
        reason: Annotated[str, Query(max_length=2000)] = "",
    ) -> VirtualKey:
        """Change what is given; null keeps. Its owner may change the state alone. A state is a
        pointer: its move stands in the journal with the reason."""
        return await keys.change(principal, key_id, wanted, reason)

    @routes.delete("/keys/{key_id}", status_code=204, tags=["keys"])
    async def revoke_key(key_id: str, principal: EditorOrOwner) -> None:
        """Revoke: the key stops working for ever, its history stays."""
        await keys.revoke(principal, key_id)

    @routes.post("/keys/{key_id}/rotate", tags=["keys"])
    async def rotate_key(key_id: str, principal: EditorOrOwner) -> CreatedKey:
        """A new secret for the key; the old one stops working at once."""
        return await keys.rotate(principal, key_id)

    @routes.delete("/keys/{key_id}/budget", status_code=204, tags=["keys"])
    async def remove_key_budget(key_id: str, principal: ProjectEditor) -> None:
        """Take the key's cap away."""
        await keys.remove_budget(principal, key_id)
