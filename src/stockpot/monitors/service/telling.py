"""Channels and the sending of what waits for them: tried, tried again later, given up in the open.

Each attempt is claimed first, so that of several senders one sends. A message is sent at least
once: where its sender dies between the answer and the note of it, another sends it again after
`CLAIM_S`, by the same `webhook-id`. Knows channels and deliveries; knows no rule.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from cryptography.fernet import InvalidToken

from stockpot.access import Principal, audit, demand, demand_project
from stockpot.catalog import project_names
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.core.instance import Instance
from stockpot.monitors.messages import encoded, new_secret, signed, slack_of, trial_message
from stockpot.monitors.models import (
    Channel,
    ChannelSettings,
    ChannelTest,
    CreatedChannel,
    Delivery,
    NewChannel,
)
from stockpot.monitors.sending import Answer
from stockpot.monitors.store import telling as store
from stockpot.monitors.store.telling import Due, Sealed

WAITS_S = (5, 30, 120, 600, 1800, 3600, 3 * 3600)
"""Between the attempts at one message, give or take a fifth; after the last it is given up."""

CLAIM_S = 60
"""How long an attempt belongs to who claimed it: longer than an answer is waited for."""

_AT_ONCE = 10
_log = logging.getLogger("stockpot.monitors")


class Posting(Protocol):
    """Checks and calls addresses from outside."""

    async def checked(self, url: str) -> str:
        """How a URL may be shown. Raises InvalidInput when it must not be called."""
        ...

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one message."""
        ...


class Telling:
    """Channels and deliveries. `clock` gives Unix seconds."""

    def __init__(
        self,
        db: Database,
        instance: Instance,
        sender: Posting,
        console: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._db = db
        self._instance = instance
        self._sender = sender
        self._console = console
        self._clock = clock
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    # --- channels -------------------------------------------------------------------------------

    async def channels(self, actor: Principal, project: str | None = None) -> tuple[Channel, ...]:
        """The channels of what the caller sees, and those of the whole instance."""
        seen = actor.projects("viewer")
        within = None if seen is None else seen | {""}
        rows = await self._db.read(lambda c: store.list_channels(c, within))
        wanted = {project, ""}
        return tuple(
            row.channel for row in rows if project is None or row.channel.project in wanted
        )

    async def create(self, actor: Principal, new: NewChannel) -> CreatedChannel:
        """A new channel; the secret that signs its messages is in the answer and nowhere else."""
        if new.url is None:
            raise InvalidInput("a new channel needs a URL")
        demand_project(actor, "admin", new.project)
        address = await self._sender.checked(new.url)
        secret = new_secret() if new.kind == "webhook" else ""
        channel = Channel(
            id=record_id("chn"), project=new.project, name=new.name, kind=new.kind,
            address=address, created_ms=self._now(), created_by=actor.label,
        )  # fmt: skip
        row = Sealed(
            channel,
            self._instance.seal(new.url.encode()),
            self._instance.seal(secret.encode()) if secret else None,
        )

        def write(c: sa.Connection) -> CreatedChannel:
            demand_project(actor, "admin", new.project, ("", *project_names(c)))
            _check_name(c, new.project, new.name, None)
            store.put_channel(c, row)
            told: dict[str, Any] = {"project": new.project, "name": new.name, "address": address}
            audit(c, actor, "channel.create", channel.id, after=channel, **told)
            return CreatedChannel(channel=channel, secret=secret)

        return await self._db.write(write)

    async def change(self, actor: Principal, channel_id: str, wanted: ChannelSettings) -> Channel:
        """Replace a channel's settings; a URL that is not given again is kept."""
        before = await self._db.read(lambda c: _channel(c, actor, channel_id))
        if wanted.kind != before.channel.kind:
            raise InvalidInput("a channel keeps its kind; make another one")
        address, sealed = before.channel.address, before.sealed_url
        if wanted.url is not None:
            address = await self._sender.checked(wanted.url)
            sealed = self._instance.seal(wanted.url.encode())

        def write(c: sa.Connection) -> Channel:
            row = _channel(c, actor, channel_id)
            _check_name(c, row.channel.project, wanted.name, channel_id)
            update = {"name": wanted.name, "address": address}
            after = row.channel.model_copy(update=update)
            store.put_channel(c, row._replace(channel=after, sealed_url=sealed))
            told: dict[str, Any] = {
                "project": after.project,
                "name": after.name,
                "address": address,
            }
            audit(c, actor, "channel.change", channel_id, before=row.channel, after=after, **told)
            return after

        return await self._db.write(write)

    async def remove(self, actor: Principal, channel_id: str) -> None:
        """A channel is gone, and its secrets with it."""

        def write(c: sa.Connection) -> None:
            row = _channel(c, actor, channel_id)
            store.remove_channel(c, channel_id)
            told: dict[str, Any] = {"project": row.channel.project, "name": row.channel.name}
            audit(c, actor, "channel.remove", channel_id, before=row.channel, **told)

        await self._db.write(write)

    async def test(self, actor: Principal, channel_id: str) -> ChannelTest:
        """Send a test message now, and tell what came of it."""
        row = await self._db.read(lambda c: _channel(c, actor, channel_id))
        told: dict[str, Any] = {"project": row.channel.project, "name": row.channel.name}
        await self._db.write(lambda c: audit(c, actor, "channel.test", channel_id, **told))
        now_ms = self._now()
        message = trial_message(row.channel.name, console=self._console, now_ms=now_ms)
        answer = await self._send(row, record_id("msg"), message)
        return ChannelTest(
            ok=answer.ok,
            status=answer.status,
            duration_ms=answer.duration_ms,
            error=answer.error,
        )

    def reseal(self, c: sa.Connection) -> int:
        """Seal every secret anew after the instance's own was rotated; returns how many."""
        count = 0
        for row in store.list_channels(c, None):
            try:
                url = self._instance.unseal(row.sealed_url)
                secret = self._instance.unseal(row.sealed_secret) if row.sealed_secret else None
            except InvalidToken:
                continue  # it was sealed elsewhere: the next message says so
            anew = self._instance.seal(secret) if secret else None
            store.put_channel(
                c, row._replace(sealed_url=self._instance.seal(url), sealed_secret=anew)
            )
            count += 1 + (anew is not None)
        return count

    # --- deliveries -----------------------------------------------------------------------------

    async def deliveries(
        self,
        actor: Principal,
        *,
        project: str | None,
        state: str | None,
        alert_id: str | None,
        before: str | None,
        limit: int,
    ) -> tuple[Delivery, ...]:
        """Messages of what the caller sees, newest first."""
        return await self._db.read(
            partial(
                store.list_deliveries,
                seen=actor.projects("viewer"),
                project=project,
                state=state,
                alert_id=alert_id,
                before=before,
                limit=limit,
            )
        )

    async def retry(self, actor: Principal, delivery_id: str) -> Delivery:
        """Try a message again that was given up."""

        def write(c: sa.Connection) -> Delivery:
            before = store.delivery_by_id(c, delivery_id)
            absent = NotFound(
                f"no delivery {delivery_id!r}", hint="stockpot monitors deliveries --state dead"
            )
            if before is None:
                raise absent
            demand(actor, "editor", before.project, absent)
            if before.state != "dead":
                raise Conflict(f"the delivery {delivery_id!r} is {before.state}, not given up")
            values: dict[str, Any] = {"state": "waiting", "attempts": 0, "next_ms": self._now()}
            store.change_delivery(c, delivery_id, **values)
            told: dict[str, Any] = {"project": before.project, "channel": before.channel}
            audit(c, actor, "delivery.retry", delivery_id, **told)
            return before.model_copy(update=values)

        return await self._db.write(write)

    async def deliver(self) -> int:
        """Send what is due; returns how many messages were tried."""
        due = await self._db.read(lambda c: store.due_deliveries(c, self._now()))
        return sum(await asyncio.gather(*(self._attempt(one) for one in due)))

    async def _attempt(self, due: Due) -> bool:
        delivery = due.delivery
        async with self._at_once:
            until_ms = self._now() + CLAIM_S * 1000
            if not await self._db.write(lambda c: store.claim_delivery(c, delivery, until_ms)):
                return False
            row = await self._db.read(lambda c: store.channel_by_id(c, delivery.channel_id))
            if row is None:
                answer = Answer(0, "the channel was removed", final=True)
            else:
                answer = await self._send(row, delivery.id, due.message)
        values = self._outcome(delivery.attempts + 1, answer)
        if values["state"] == "dead":
            _log.warning("a message to %r was given up: %s", delivery.channel, answer.error)
        await self._db.write(lambda c: store.change_delivery(c, delivery.id, **values))
        return True

    async def _send(self, row: Sealed, message_id: str, message: dict[str, Any]) -> Answer:
        try:
            url = self._instance.unseal(row.sealed_url).decode()
            sealed = row.sealed_secret
            secret = self._instance.unseal(sealed).decode() if sealed else ""
        except InvalidToken:
            return Answer(0, "the channel's URL cannot be opened: give it again", final=True)
        if row.channel.kind == "slack":
            return await self._sender.post(url, encoded(slack_of(message)), {})
        body = encoded(message)
        headers = signed(secret, message_id, int(self._clock()), body)
        return await self._sender.post(url, body, headers)

    def _outcome(self, attempts: int, answer: Answer) -> dict[str, Any]:
        now_ms = self._now()
        values: dict[str, Any] = {
            "attempts": attempts, "status": answer.status, "error": answer.error[:500],
        }  # fmt: skip
        if answer.ok:
            return {**values, "state": "delivered", "delivered_ms": now_ms, "next_ms": None}
        if answer.final or attempts > len(WAITS_S):
            return {**values, "state": "dead", "next_ms": None}
        wait_s = WAITS_S[attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - to spread, not to hide
        wait_s = max(wait_s, answer.wait_s or 0)
        return {**values, "state": "waiting", "next_ms": now_ms + int(wait_s * 1000)}

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _check_name(c: sa.Connection, project: str, name: str, own_id: str | None) -> None:
    for row in store.list_channels(c, frozenset({project})):
        if row.channel.name == name and row.channel.id != own_id:
            raise Conflict(
                f"there is a channel {name!r} already", hint="stockpot monitors channels list"
            )


def _channel(c: sa.Connection, actor: Principal, channel_id: str) -> Sealed:
    row = store.channel_by_id(c, channel_id)
    absent = NotFound(f"no channel {channel_id!r}", hint="stockpot monitors channels list")
    if row is None:
        raise absent
    demand(actor, "admin", row.channel.project, absent)
    return row
