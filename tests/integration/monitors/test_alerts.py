"""From calls in the span log to a message at a real web server, by a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from stockpot.access import SYSTEM
from stockpot.core import config
from stockpot.core.db import Database, open_database
from stockpot.core.instance import Instance
from stockpot.monitors import Monitor, Monitors, NewMonitor, ThresholdRule, open_monitors
from stockpot.monitors.checks.models import KeptCheck, Schedule
from stockpot.monitors.checks.store import put_check, unfinished
from stockpot.monitors.models import ChannelSettings, MonitorSettings, NewChannel, NewSilence
from stockpot.monitors.sending import Sender
from stockpot.monitors.service.telling import CLAIM_S
from stockpot.monitors.store import telling as store
from stockpot.traces import SpanLog, open_span_log
from tests.integration.monitors.receiver import Receiver, receiving
from tests.postgres import migrated_database
from tests.stores import migrated_file
from tests.unit.traces.made import AT_NS, make_shipment, make_shipped

pytestmark = pytest.mark.integration

ERRORS = ThresholdRule(metric="error_rate", threshold=0.1, window_s=300, min_samples=5)


class World:
    """Monitors over a real span log and store; time stands where the test puts it."""

    def __init__(self, db: Database, log: SpanLog, monitors: Monitors) -> None:
        self.db, self.log, self.monitors = db, log, monitors
        self.now_s = AT_NS / 1e9
        self._calls = 0

    def calls(self, number: int, *, failing: bool = False, **changes: Any) -> None:
        """Calls that end now."""
        if failing:
            changes |= {"status": 500, "error": "upstream_error"}
        items = []
        for _ in range(number):
            self._calls += 1
            start = int(self.now_s * 1e9)
            items.append(make_shipped(self._calls, **{"start_ns": start, **changes}))
        self.log.ingest(make_shipment(*items, stream=f"host-{self._calls}"))

    async def later(self, seconds: float = 0) -> int:
        """Turn the clock, look, and send what is due; returns how many messages were tried."""
        self.now_s += seconds
        await self.monitors.watching.look()
        return await self.monitors.telling.deliver()

    async def monitor(self, *channels: str, **changes: Any) -> Monitor:
        new = {"name": "failing", "project": "", "rule": ERRORS, "channels": channels, **changes}
        return await self.monitors.monitors.create(SYSTEM, NewMonitor(**new))

    async def channel(self, url: str, kind: Any = "webhook") -> tuple[str, str]:
        """Its id and the secret that signs."""
        new = NewChannel(name=f"ops-{kind}", project="", kind=kind, url=url)
        made = await self.monitors.telling.create(SYSTEM, new)
        return made.channel.id, made.secret

    async def state(self) -> str:
        (monitor,) = await self.monitors.monitors.all(SYSTEM)
        return monitor.standing.state

    async def deliveries(self, **asked: Any) -> list[Any]:
        where = {"project": None, "state": None, "alert_id": None, "before": None, "limit": 50}
        return list(await self.monitors.telling.deliveries(SYSTEM, **{**where, **asked}))

    async def alerts(self) -> list[Any]:
        where = {"project": None, "monitor_id": None, "state": None, "before": None}
        return list(await self.monitors.monitors.alerts(SYSTEM, **where, limit=50))  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    instance = Instance(tmp_path)
    db = open_database(
        migrated_database() if request.param == "postgres" else migrated_file(tmp_path)
    )
    log = open_span_log(instance)
    monitors = open_monitors(db, instance, settings, log, clock=lambda: made.now_s)
    made = World(db, log, monitors)
    yield made
    await monitors.sender.close()
    await db.close()
    log.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


async def test_an_episode_is_told_once_reminded_of_and_resolved(
    world: World, receiver: Receiver
) -> None:
    channel, secret = await world.channel(receiver.url)
    monitor = await world.monitor(channel, remind_s=600)
    world.calls(20)
    await world.later()
    assert await world.state() == "ok"
    world.calls(20, failing=True)
    for _ in range(5):
        await world.later(5)
    assert await world.state() == "firing"
    assert receiver.said == ["monitor.firing"]
    alert = receiver.messages[0]["data"]["alert"]
    assert (alert["value"], alert["severity"]) == (0.5, "page")
    for _ in range(13):  # it goes on, and is told again after ten minutes
        world.calls(10, failing=True)
        await world.later(60)
    assert receiver.said == ["monitor.firing", "monitor.reminder"]
    for _ in range(8):
        world.calls(50)
        await world.later(60)
    assert receiver.said[2:] == ["monitor.resolved"]
    assert await world.state() == "resolved"
    (kept,) = await world.alerts()
    assert (kept.state, kept.monitor_id) == ("resolved", monitor.id)
    assert kept.worst > 0.9
    assert receiver.signed_by(secret)
    assert len({h["webhook-id"] for h in receiver.headers}) == 3


async def test_a_receiver_that_is_away_is_tried_again_by_the_same_id(
    world: World, receiver: Receiver
) -> None:
    channel, _ = await world.channel(receiver.url)
    await world.monitor(channel)
    receiver.answers = [503, 429]
    world.calls(20, failing=True)
    assert await world.later() == 1
    assert await world.later(3) == 0  # not yet
    assert await world.later(4) == 1
    assert await world.later(70) == 0  # it asked to be left alone for 77 s
    assert await world.later(10) == 1
    assert len({h["webhook-id"] for h in receiver.headers}) == 1
    (delivery,) = await world.deliveries()
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 3, 200)


@pytest.mark.parametrize(("status", "why"), [(404, "404"), (302, "redirects are not followed")])
async def test_what_is_refused_for_good_is_a_dead_letter_that_can_be_tried_by_hand(
    world: World, receiver: Receiver, status: int, why: str
) -> None:
    channel, _ = await world.channel(receiver.url)
    await world.monitor(channel)
    receiver.answers = [status]
    world.calls(20, failing=True)
    await world.later()
    (dead,) = await world.deliveries(state="dead")
    assert why in dead.error
    assert dead.attempts == 1
    assert await world.later(3600) == 0
    await world.monitors.telling.retry(SYSTEM, dead.id)
    assert await world.later() == 1
    assert [row.state for row in await world.deliveries()] == ["delivered"]


async def test_a_receiver_that_stays_away_is_given_up(world: World, receiver: Receiver) -> None:
    channel, _ = await world.channel("http://127.0.0.1:9/nobody")
    await world.monitor(channel, rule=ERRORS.model_copy(update={"window_s": 86_400}))
    world.calls(20, failing=True)
    tried = sum([await world.later(4 * 3600) if n else await world.later() for n in range(12)])
    (delivery, *_) = await world.deliveries(state="dead")
    assert tried >= delivery.attempts == 8
    assert "127.0.0.1:9" in delivery.error


@pytest.mark.parametrize("one", [True, False], ids=["one monitor", "a project"])
async def test_while_silenced_an_alert_is_kept_and_told_when_the_quiet_is_over(
    world: World, receiver: Receiver, one: bool
) -> None:
    channel, _ = await world.channel(receiver.url, "slack")
    monitor = await world.monitor(
        channel, rule=ERRORS.model_copy(update={"window_s": 86_400}), description="call Ana"
    )
    quiet = NewSilence(
        project=monitor.project, monitor_id=monitor.id if one else None,
        until_ms=(world.now_s + 600) * 1000, reason="mending",
    )  # fmt: skip
    made = await world.monitors.monitors.silence(SYSTEM, quiet)
    assert made.created_by == "stockpot"
    world.calls(20, failing=True)
    await world.later(5)
    (alert,) = await world.alerts()
    assert (alert.silenced, receiver.bodies) == (True, [])
    (shown,) = await world.monitors.monitors.all(SYSTEM)
    assert shown.standing.silenced_until_ms == quiet.until_ms
    await world.later(600)
    (message,) = receiver.messages
    assert message["text"].startswith("Firing: failing")
    assert "call Ana" in str(message["blocks"])
    assert "webhook-signature" not in receiver.headers[0]


async def test_a_monitor_that_is_changed_ends_its_alert_and_begins_anew(
    world: World, receiver: Receiver
) -> None:
    channel, _ = await world.channel(receiver.url)
    monitor = await world.monitor(channel)
    world.calls(20, failing=True)
    await world.later()
    kept = {name: getattr(monitor, name) for name in MonitorSettings.model_fields}
    lenient = ERRORS.model_copy(update={"threshold": 1.0})
    world.now_s += 1
    await world.monitors.monitors.change(
        SYSTEM, monitor.id, MonitorSettings(**{**kept, "rule": lenient})
    )
    await world.later(1)
    assert receiver.said == ["monitor.firing", "monitor.resolved"]
    assert "was changed" in receiver.messages[1]["data"]["alert"]["reason"]
    assert await world.state() == "ok"


async def test_a_process_that_starts_anew_knows_what_fires(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    channel, _ = await world.channel(receiver.url)
    await world.monitor(channel, rule=ERRORS.model_copy(update={"for_s": 60}))
    world.calls(20, failing=True)
    await world.later()
    assert await world.state() == "pending"
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    again = open_monitors(
        world.db, Instance(tmp_path), settings, world.log, clock=lambda: world.now_s
    )
    world.now_s += 61
    world.calls(5, failing=True)
    await again.watching.look()
    await world.later()  # the older process looks too: nothing is told twice
    await again.telling.deliver()
    await again.sender.close()
    assert receiver.said == ["monitor.firing"]
    assert len(await world.alerts()) == 1


async def test_of_several_senders_one_sends_and_a_claim_that_its_sender_left_runs_out(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    channel, _ = await world.channel(receiver.url)
    await world.monitor(channel)
    world.calls(20, failing=True)
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    other = open_monitors(
        world.db, Instance(tmp_path), settings, world.log, clock=lambda: world.now_s
    )
    await world.monitors.watching.look()
    senders = (world.monitors.telling, other.telling) * 2
    tried = await asyncio.gather(*(sender.deliver() for sender in senders))
    assert (sum(tried), receiver.said) == (1, ["monitor.firing"])
    (sent,) = await world.deliveries()
    values = {"state": "waiting", "next_ms": int(world.now_s * 1000)}
    await world.db.write(lambda c: store.change_delivery(c, sent.id, **values))
    taken = sent.model_copy(update=values)
    until_ms = int((world.now_s + CLAIM_S) * 1000)
    assert await world.db.write(lambda c: store.claim_delivery(c, taken, until_ms))
    assert await other.telling.deliver() == 0, "another has it"
    world.now_s += CLAIM_S + 1
    assert await other.telling.deliver() == 1
    await other.sender.close()
    first, second = receiver.headers
    assert first["webhook-id"] == second["webhook-id"]


async def test_a_channels_secrets_are_nowhere_in_the_open(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    channel, secret = await world.channel(receiver.url)
    moved = ChannelSettings(name="ops", url=receiver.url + "-2")
    changed = await world.monitors.telling.change(SYSTEM, channel, moved)
    came = await world.monitors.telling.test(SYSTEM, channel)
    assert (came.ok, came.status) == (True, 200)
    assert receiver.paths == ["/hooks/s3cret-path-2"]
    assert receiver.signed_by(secret)
    assert changed.address.endswith("/...")
    for project in (None, "", "default"):  # all, the instance's, and those a project may tell
        assert await world.monitors.telling.channels(SYSTEM, project) == (changed,)

    def dump(c: sa.Connection) -> str:
        tables = ("monitor_channels", "monitor_deliveries", "audit_log")
        rows = [row for table in tables for row in c.exec_driver_sql(f"SELECT * FROM {table}")]
        return str([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in rows])

    kept = await world.db.read(dump)
    assert "ops" in kept
    assert "s3cret-path" not in kept
    assert secret not in kept


async def test_a_channel_is_sealed_anew_when_the_instances_secret_is_rotated(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    channel, secret = await world.channel(receiver.url)
    await world.channel(receiver.url, "slack")
    settings, instance = config.load({"STOCKPOT_HOME": str(tmp_path)}), Instance(tmp_path)
    instance.rotate()
    rotated = open_monitors(world.db, instance, settings, world.log)
    assert await world.db.write(rotated.telling.reseal) == 3
    key = tmp_path / "instance.key"
    key.write_text(key.read_text().splitlines()[0] + "\n")  # what opened the old ones is gone
    alone = open_monitors(world.db, Instance(tmp_path), settings, world.log)
    assert (await alone.telling.test(SYSTEM, channel)).ok
    assert receiver.signed_by(secret)
    for opened in (rotated, alone):
        await opened.sender.close()


async def test_a_monitor_looks_at_its_slice_alone(world: World) -> None:
    await world.monitor(slice={"model": "other"})
    world.calls(20, failing=True)
    await world.later()
    assert await world.state() == "no_data"
    world.calls(20, failing=True, model="other")
    await world.later()
    assert await world.state() == "firing"


@asynccontextmanager
async def dripping() -> AsyncIterator[str]:
    """The URL of a server that goes on answering a byte at a time and comes to no end."""
    answering: set[asyncio.Task[None]] = set()

    async def drip(writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nx-more: ")
            while not writer.is_closing():
                writer.write(b"a")
                await asyncio.sleep(0.05)
        finally:
            writer.close()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.create_task(drip(writer)))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for task in answering:
        task.cancel()
    await asyncio.gather(*answering, return_exceptions=True)
    server.close()
    await server.wait_closed()


async def test_a_receiver_that_never_ends_its_answer_is_left_and_keeps_nobody_from_looking(
    world: World, tmp_path: Path
) -> None:
    check = KeptCheck(
        id="chk_1", project="default", kind="online", name="tone", description="", spec={},
        schedule=Schedule(every_s=3600), enabled=True, next_ms=0, created_ms=0, created_by="",
        updated_ms=0,
    )  # fmt: skip
    async with dripping() as url:
        sender = Sender(config.load({"STOCKPOT_HOME": str(tmp_path)}), whole_s=0.2)
        left = await sender.post(url, b"{}", {})
        assert (left.status, "did not answer within 0.2 s" in left.error) == (0, True)
        await sender.close()
        channel, _ = await world.channel(url)
        await world.monitor(channel)
        world.calls(20, failing=True)
        await world.monitors.watching.look()
        await world.db.write(lambda c: put_check(c, check))
        watching = asyncio.create_task(world.monitors.watch())
        async with asyncio.timeout(30):
            while await world.db.read(lambda c: unfinished(c, check.id)) is None:
                await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    (waiting,) = await world.deliveries()
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
