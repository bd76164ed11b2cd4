"""What workers ask and tell: snapshots, leases, heartbeats. MessagePack."""

from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from stockpot.access import internal
from stockpot.catalog.catalog import Catalog
from stockpot.core.errors import InvalidInput
from stockpot.core.kv import RateAsk, SlotAsk
from stockpot.gateway import Heartbeat, LeaseRequest

POLL_S = 25.0
_MSGPACK = "application/msgpack"

T = TypeVar("T")


def internal_routes(routes: APIRouter, catalog: Catalog) -> None:
    """Each needs the instance's internal token."""

    @routes.get("/snapshot", dependencies=[Depends(internal)])
    async def get_snapshot(
        after: Annotated[int, Query(ge=0)] = 0,
        wait_s: Annotated[float, Query(ge=0)] = POLL_S,
        worker: Annotated[str, Query(max_length=300)] = "",
    ) -> Response:
        """The snapshot as soon as it is another than `after`; 304 when it stayed the same."""
        published = await catalog.publisher.newer_than(after, min(wait_s, POLL_S), worker)
        if published is None:
            return Response(status_code=304)
        headers = {"x-stockpot-revision": str(published.revision)}
        return Response(published.snapshot, media_type=_MSGPACK, headers=headers)

    @routes.post("/leases", dependencies=[Depends(internal)])
    async def lease(request: Request) -> Response:
        """Settle a worker's spending and lend it more."""
        asked = await _body(request, LeaseRequest)
        reply = await catalog.budgets.lease(asked)
        return Response(msgspec.msgpack.encode(reply), media_type=_MSGPACK)

    @routes.post("/rates", dependencies=[Depends(internal)])
    async def rates(request: Request) -> Response:
        """Grant blocks of rates that workers share, for those without a store of their own."""
        grants = await catalog.kv.rates(await _body(request, list[RateAsk]))
        return Response(msgspec.msgpack.encode(grants), media_type=_MSGPACK)

    @routes.post("/slots", dependencies=[Depends(internal)])
    async def slots(request: Request) -> Response:
        """Lend slots for calls at once that workers share, as `rates` does."""
        held = await catalog.kv.slots(await _body(request, list[SlotAsk]))
        return Response(msgspec.msgpack.encode(held), media_type=_MSGPACK)

    @routes.post("/heartbeat", dependencies=[Depends(internal)])
    async def heartbeat(request: Request) -> Response:
        """A worker lives, and what it counts."""
        beat = await _body(request, Heartbeat)
        catalog.fleet.heard(beat)
        await catalog.disks.heard(beat)
        return Response(b"", media_type=_MSGPACK)


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(await request.body(), type=kind)
    except msgspec.MsgspecError as bad:
        raise InvalidInput(f"the body is no {kind.__name__}: {bad}") from None
