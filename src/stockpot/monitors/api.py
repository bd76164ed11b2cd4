"""The routes of monitors: define, look back, alerts, silences, channels, deliveries."""

# No `from __future__ import annotations`: FastAPI reads these signatures when the module loads.
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from stockpot.access import Principal, requires
from stockpot.monitors.models import (
    Alert,
    Channel,
    ChannelSettings,
    ChannelTest,
    CreatedChannel,
    Delivery,
    Monitor,
    MonitorHistory,
    MonitorSettings,
    MonitorTrial,
    NewChannel,
    NewMonitor,
    NewSilence,
    Silence,
)
from stockpot.monitors.opening import Monitors
from stockpot.monitors.service.defining import MonitorService
from stockpot.monitors.service.telling import Telling

ProjectViewer = Annotated[Principal, Depends(requires("viewer", "project"))]
ProjectEditor = Annotated[Principal, Depends(requires("editor", "project"))]
ProjectAdmin = Annotated[Principal, Depends(requires("admin", "project"))]

OfProject = Annotated[str | None, Query(max_length=63)]
Before = Annotated[str | None, Query(max_length=40)]
Limit = Annotated[int, Query(ge=1, le=500)]


def router(opened: Monitors) -> APIRouter:
    """All routes of monitors."""
    routes = APIRouter(prefix="/api/v1", tags=["monitors"])
    _monitors(routes, opened.monitors)
    _silences(routes, opened.monitors)
    _channels(routes, opened.telling)
    _deliveries(routes, opened.telling)
    return routes


def _monitors(routes: APIRouter, service: MonitorService) -> None:
    @routes.get("/monitors")
    async def list_monitors(
        principal: ProjectViewer, project: OfProject = None
    ) -> tuple[Monitor, ...]:
        """Monitors with how they stand and their last hour, by project and name."""
        return await service.all(principal, project)

    @routes.post("/monitors", status_code=201)
    async def create_monitor(new: NewMonitor, principal: ProjectEditor) -> Monitor:
        """A new monitor: a threshold or a burn rate over a slice of what happens."""
        return await service.create(principal, new)

    @routes.post("/monitors/preview")
    async def preview_monitor(trial: MonitorTrial, principal: ProjectViewer) -> MonitorHistory:
        """What a rule's metric was, and when it would have fired. Changes nothing."""
        return await service.preview(principal, trial)

    @routes.get("/monitors/{monitor_id}")
    async def get_monitor(monitor_id: str, principal: ProjectViewer) -> Monitor:
        """One monitor."""
        return await service.one(principal, monitor_id)

    @routes.put("/monitors/{monitor_id}")
    async def change_monitor(
        monitor_id: str, wanted: MonitorSettings, principal: ProjectEditor
    ) -> Monitor:
        """Replace a monitor's settings. With another rule or slice it begins anew."""
        return await service.change(principal, monitor_id, wanted)

    @routes.delete("/monitors/{monitor_id}", status_code=204)
    async def remove_monitor(monitor_id: str, principal: ProjectEditor) -> None:
        """Remove a monitor; its alerts stay in the history."""
        await service.remove(principal, monitor_id)

    @routes.get("/alerts")
    async def list_alerts(
        principal: ProjectViewer,
        project: OfProject = None,
        monitor_id: Before = None,
        state: Literal["firing", "resolved"] | None = None,
        before: Before = None,
        limit: Limit = 100,
    ) -> tuple[Alert, ...]:
        """Episodes in which monitors fired, newest first; `before` is the last one's id."""
        return await service.alerts(
            principal,
            project=project,
            monitor_id=monitor_id,
            state=state,
            before=before,
            limit=limit,
        )


def _silences(routes: APIRouter, service: MonitorService) -> None:
    @routes.get("/silences")
    async def list_silences(principal: ProjectViewer, ended: bool = False) -> tuple[Silence, ...]:
        """Silences in force, or all, newest first."""
        return await service.silences(principal, ended=ended)

    @routes.post("/silences", status_code=201)
    async def silence_monitors(new: NewSilence, principal: ProjectEditor) -> Silence:
        """Send nothing for a while: of one monitor, or of all in a project."""
        return await service.silence(principal, new)

    @routes.delete("/silences/{silence_id}", status_code=204)
    async def end_silence(silence_id: str, principal: ProjectEditor) -> None:
        """End a silence before its time."""
        await service.end_silence(principal, silence_id)


def _channels(routes: APIRouter, telling: Telling) -> None:
    @routes.get("/channels")
    async def list_channels(
        principal: ProjectViewer, project: OfProject = None
    ) -> tuple[Channel, ...]:
        """Where alerts can be sent, without the secret parts of addresses."""
        return await telling.channels(principal, project)

    @routes.post("/channels", status_code=201)
    async def create_channel(new: NewChannel, principal: ProjectAdmin) -> CreatedChannel:
        """A new channel; the secret that signs a webhook's messages is shown this once."""
        return await telling.create(principal, new)

    @routes.put("/channels/{channel_id}")
    async def change_channel(
        channel_id: str, wanted: ChannelSettings, principal: ProjectAdmin
    ) -> Channel:
        """Rename a channel, or give it another URL; null keeps the present one."""
        return await telling.change(principal, channel_id, wanted)

    @routes.delete("/channels/{channel_id}", status_code=204)
    async def remove_channel(channel_id: str, principal: ProjectAdmin) -> None:
        """Remove a channel; what waits for it is given up."""
        await telling.remove(principal, channel_id)

    @routes.post("/channels/{channel_id}/test")
    async def try_channel(channel_id: str, principal: ProjectAdmin) -> ChannelTest:
        """Send a test message now, and tell what came of it."""
        return await telling.test(principal, channel_id)


def _deliveries(routes: APIRouter, telling: Telling) -> None:
    @routes.get("/deliveries")
    async def list_deliveries(
        principal: ProjectViewer,
        project: OfProject = None,
        state: Literal["waiting", "delivered", "dead"] | None = None,
        alert_id: Before = None,
        before: Before = None,
        limit: Limit = 100,
    ) -> tuple[Delivery, ...]:
        """Messages and what came of them, newest first; the dead were given up."""
        return await telling.deliveries(
            principal, project=project, state=state, alert_id=alert_id, before=before, limit=limit
        )

    @routes.post("/deliveries/{delivery_id}/retry")
    async def retry_delivery(delivery_id: str, principal: ProjectEditor) -> Delivery:
        """Try a message again that was given up."""
        return await telling.retry(principal, delivery_id)
