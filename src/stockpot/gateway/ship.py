"""Shipping the spool of this host to ingest. `python -m stockpot.worker ship` runs it.

Knows streams, ingest's address and its answers; knows nothing of the span log. A shipment is sent
again until ingest says that it is committed, and begins at the place that ingest is known to have
reached: so nothing is lost or counted twice, whichever side is killed at whichever moment.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from stockpot.core.config import Settings
from stockpot.core.errors import Unavailable
from stockpot.core.instance import Instance
from stockpot.core.locks import hold, holder
from stockpot.gateway.models import Shipment, ShipmentAck
from stockpot.gateway.spool import Tail

_log = logging.getLogger(__name__)

MAX_RECORDS = 500
MAX_BYTES = 4 << 20
PATH = "/internal/shipments"

_BUSY_S, _IDLE_S = 0.05, 0.2
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.05, 2.0
_FAREWELL_S = 10.0
_ABANDONED_S = 60.0
_TIMEOUT_S = 60.0
_encode = msgspec.msgpack.Encoder().encode


class IngestAway(Unavailable):
    """Ingest did not answer, or not as it should."""

    code = "ingest_away"


class ShipmentRefused(Unavailable):
    """Ingest answered that it cannot take this shipment."""

    code = "shipment_refused"


class Ingest:
    """A connection to ingest, kept alive; after a fault it is opened anew, perhaps elsewhere."""

    def __init__(self, address: Callable[[], str | None], token: str) -> None:
        self._address = address
        self._headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/msgpack",
            "accept": "application/msgpack",
        }
        self._connection: http.client.HTTPConnection | None = None

    def send(self, shipment: Shipment) -> int:
        """The offset up to which ingest has the shipment's segment, whether this one fitted or not.

        Raises IngestAway (try again later) or ShipmentRefused (try a smaller one).
        """
        status, kind, body = self._post(_encode(shipment))
        if status in (200, 409):
            return _offset(kind, body)
        said = body[:300].decode("utf-8", "replace")
        if status in (400, 413, 422):
            raise ShipmentRefused(f"ingest answered {status}: {said}")
        self.close()
        raise IngestAway(f"ingest answered {status}: {said}")

    def close(self) -> None:
        """Drop the connection; the next shipment opens one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, data: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body. A kept connection that has gone stale is opened anew."""
        while True:
            kept = self._connection is not None
            try:
                connection = self._connection or self._connect()
                connection.request("POST", PATH, data, self._headers)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if kept and isinstance(error, ConnectionError | http.client.RemoteDisconnected):
                    continue
                raise IngestAway(f"ingest does not answer: {error!r}") from None
            if answer.will_close:
                self.close()
            return answer.status, answer.headers.get("content-type") or "", body

    def _connect(self) -> http.client.HTTPConnection:
        url = self._address()
        if url is None:
            raise IngestAway("ingest has not announced its address", hint="stockpot up")
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        return self._connection


def _offset(kind: str, body: bytes) -> int:
    """The offset out of a ShipmentAck, or out of an error that tells it."""
    try:
        if "json" in kind:
            told: Any = msgspec.json.decode(body)
            return int(told["offset"] if "offset" in told else told["error"]["offset"])
        return msgspec.msgpack.decode(body, type=ShipmentAck).offset
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise IngestAway(f"ingest's answer cannot be read: {error}") from None


class Shipper:
    """Ships every stream of a spool folder. Only one may run per folder."""

    def __init__(self, spool: Path, ingest: Ingest, look_s: float = 1.0) -> None:
        self._spool = spool
        self._ingest = ingest
        self._look_s = look_s
        self._looked = 0.0
        self._tails: dict[str, _Followed] = {}
        self._gone = dict.fromkeys(_COUNTED, 0)
        self.fault = ""
        """Why records wait; empty when they do not."""

    def step(self) -> int:
        """Ship one batch of each stream: the number of records. Raises IngestAway."""
        self._find()
        look = time.monotonic() - self._looked >= self._look_s
        if look:
            self._looked = time.monotonic()
        shipped, fault = 0, ""
        for one in list(self._tails.values()):
            try:
                shipped += self._step(one, look)
            except (OSError, ShipmentRefused) as error:  # the other streams go on
                fault = f"{one.tail.stream}: {error}"
                one.not_before = time.monotonic() + _LONGEST_WAIT_S
        self._tell(fault)
        return shipped

    def close(self) -> None:
        """Keep the acknowledged places and let go of connection and locks."""
        self._ingest.close()
        for one in self._tails.values():
            with contextlib.suppress(OSError):
                one.tail.write_note()
            one.tail.close()

    def figures(self) -> dict[str, int]:
        """Totals since this shipper began, and what waits."""
        totals = dict(self._gone)
        waiting = [one.tail.backlog() for one in self._tails.values()]
        for one in self._tails.values():
            for name in _COUNTED:
                totals[name] += getattr(one.tail, name)
        totals["backlog_bytes"] = sum(size for size, _ in waiting)
        totals["backlog_records"] = sum(records for _, records in waiting)
        totals["streams"] = len(self._tails)
        return totals

    def away(self, fault: IngestAway) -> None:
        """Note that ingest does not answer."""
        self._tell(str(fault))

    def _tell(self, fault: str) -> None:
        if fault and not self.fault:
            _log.warning("records wait in the spool: %s", fault)
        elif self.fault and not fault:
            _log.warning("records are shipped again")
        self.fault = fault

    def _find(self) -> None:
        for name in os.listdir(self._spool):
            folder = self._spool / name
            if name in self._tails or not folder.is_dir():
                continue
            if name.startswith("."):
                _remove_abandoned(folder)
            else:
                self._tails[name] = _Followed(Tail(folder))

    def _step(self, one: _Followed, look: bool) -> int:
        tail = one.tail
        if one.not_before > time.monotonic():
            return 0
        shipped = self._ship(one)
        if look:
            tail.write_note()
        if shipped:
            return shipped
        if not tail.dead:
            if look:
                tail.take_over()  # what it wrote last is shipped by the next step
        elif tail.finish():
            _log.info("spool %s is shipped, %d interrupted", tail.stream, tail.interrupted)
            del self._tails[tail.stream]
            for name in _COUNTED:
                self._gone[name] += getattr(tail, name)
        return 0

    def _ship(self, one: _Followed) -> int:
        batch = one.tail.batch(one.records, MAX_BYTES)
        if batch is None:
            return 0
        shipment = batch.shipment
        try:
            offset = self._ingest.send(shipment)
        except ShipmentRefused:
            # Smaller ones, down to a single record, find out which one it is.
            one.records = max(1, min(one.records, len(shipment.items)) // 2)
            raise
        if offset == shipment.begin:
            raise IngestAway(f"ingest takes nothing of {shipment.stream!r} at offset {offset}")
        one.records = min(MAX_RECORDS, one.records * 2)
        one.tail.acknowledge(batch, offset)
        return len(shipment.items)


class _Followed:
    """A stream with how many records it may ship at once, and not before when."""

    __slots__ = ("not_before", "records", "tail")

    def __init__(self, tail: Tail) -> None:
        self.tail = tail
        self.records = MAX_RECORDS
        self.not_before = 0.0


_COUNTED = ("records", "interrupted", "torn", "damaged_bytes", "missing_bodies")


def _remove_abandoned(folder: Path) -> None:
    """A stream's draft whose worker died before it had written anything."""
    with contextlib.suppress(OSError):
        old = time.time() - folder.stat().st_mtime > _ABANDONED_S
        if old and folder.name.startswith(".new-") and holder(folder / "lock") is None:
            shutil.rmtree(folder)


class Gauge:
    """Announces once a second how far behind the shipper is and how fast it goes."""

    def __init__(self, instance: Instance, shipper: Shipper) -> None:
        self._instance = instance
        self._shipper = shipper
        self._then = time.monotonic()
        self._records = 0

    def show(self, *, now: bool = False) -> None:
        """Announce `run/shipper.json` when it is time."""
        passed = time.monotonic() - self._then
        if passed < 1.0 and not now:
            return
        self._then += passed
        figures = self._shipper.figures()
        rate = (figures["records"] - self._records) / max(passed, 1e-3)
        self._records = figures["records"]
        fault = self._shipper.fault
        facts: dict[str, object] = {**figures, "pid": os.getpid(), "at_ms": int(time.time() * 1000)}
        facts |= {"drain_rps": round(rate, 1), "state": "waiting" if fault else "ok"}
        with contextlib.suppress(OSError):  # a full disk must not stop who empties it
            self._instance.announce("shipper", {**facts, "fault": fault})


def run(instance: Instance, settings: Settings) -> None:
    """Ship until SIGTERM or SIGINT, then what is left, for a while. Blocks."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))
    with hold(instance.run / "shipper.lock"):
        told = str(settings.ingest_url) or None
        ingest = Ingest(lambda: told or _announced(instance), instance.internal_token)
        shipper = Shipper(instance.spool, ingest)
        gauge = Gauge(instance, shipper)
        try:
            ship(shipper, lambda: bool(asked), gauge.show)
            _farewell(shipper, min(_FAREWELL_S, settings.drain_s))
        finally:
            shipper.close()
            gauge.show(now=True)


def ship(shipper: Shipper, stop: Callable[[], bool], show: Callable[[], None]) -> None:
    """Step until told to stop: at once while batches are large, else at intervals."""
    wait, active = _FIRST_WAIT_S, 0.0
    while not stop():
        show()
        try:
            shipped = shipper.step()
        except IngestAway as fault:
            shipper.away(fault)
            _pause(wait * random.uniform(0.5, 1.0), stop)  # noqa: S311 - spreads retries
            wait = min(wait * 2, _LONGEST_WAIT_S)
            continue
        wait = _FIRST_WAIT_S
        if shipped:
            active = time.monotonic()
        if shipped < MAX_RECORDS // 2:
            _pause(_BUSY_S if time.monotonic() - active < 1.0 else _IDLE_S, stop)


def _pause(seconds: float, stop: Callable[[], bool]) -> None:
    """Sleep, but not through a request to stop."""
    until = time.monotonic() + seconds
    while not stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _BUSY_S))


def _farewell(shipper: Shipper, seconds: float) -> None:
    """Ship what the workers left when they stopped."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(IngestAway):
        while shipper.step() and time.monotonic() < deadline:
            pass


def _announced(instance: Instance) -> str | None:
    facts = instance.announced("ingest")
    url = facts.get("url") if facts else None
    return url if isinstance(url, str) else None
