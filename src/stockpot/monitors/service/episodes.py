"""What follows from an event: an episode begins, grows worse or ends, and messages are put in line.

Everything here runs inside one transaction with the standing that it follows from, so that no alert
is told twice and none is forgotten, whenever the process dies. Knows tables; sends nothing.
"""

from __future__ import annotations

import sqlalchemy as sa

from stockpot.core.ids import record_id
from stockpot.monitors.history import worse
from stockpot.monitors.messages import message_of
from stockpot.monitors.models import Alert, Delivery, Monitor, Reading, Said, Severity, Silence
from stockpot.monitors.store import monitors as store
from stockpot.monitors.store import telling


def silence_of(monitor: Monitor, silences: tuple[Silence, ...], now_ms: float) -> Silence | None:
    """The longest silence that is in force for a monitor."""
    held = [s for s in silences if s.holds(now_ms) and s.covers(monitor.project, monitor.id)]
    return max(held, key=lambda s: s.until_ms, default=None)


class Episodes:
    """Writes alerts and queues their messages. `console` is the address for links."""

    def __init__(self, console: str) -> None:
        self._console = console

    def begin(
        self,
        c: sa.Connection,
        monitor: Monitor,
        reading: Reading,
        severity: Severity,
        now_ms: float,
        *,
        silenced: bool,
    ) -> Alert:
        """A monitor fires."""
        alert = Alert(
            id=record_id("alr"), monitor_id=monitor.id, project=monitor.project,
            monitor=monitor.name, severity=severity, state="firing", started_ms=now_ms,
            resolved_ms=None, value=reading.value, worst=reading.value, reason=reading.reason,
            silenced=silenced,
        )  # fmt: skip
        store.add_alert(c, alert)
        return alert if silenced else self.tell(c, monitor, alert, "firing", now_ms)

    def go_on(
        self,
        c: sa.Connection,
        monitor: Monitor,
        alert: Alert,
        reading: Reading,
        severity: Severity,
        now_ms: float,
        *,
        silenced: bool,
    ) -> Alert:
        """A monitor still fires: note what is worse, tell what was not told, remind."""
        worst = worse(monitor.rule, alert.worst, reading)
        escalated = severity != alert.severity
        if (worst, escalated, silenced) != (alert.worst, False, alert.silenced):
            new = {"worst": worst, "severity": severity, "silenced": silenced}
            alert = alert.model_copy(update=new)
            store.change_alert(c, alert.id, **new)
        if silenced:
            return alert
        if alert.told_ms is None or escalated:
            alert = alert.model_copy(update={"reason": reading.reason})
            return self.tell(c, monitor, alert, "firing", now_ms)
        if monitor.remind_s and now_ms - alert.told_ms >= monitor.remind_s * 1000:
            alert = alert.model_copy(update={"reason": reading.reason})
            return self.tell(c, monitor, alert, "reminder", now_ms)
        return alert

    def end(
        self, c: sa.Connection, monitor: Monitor, alert: Alert, reason: str, now_ms: float
    ) -> Alert:
        """An episode is over. Who was told that it began is told that it ended, silence or not: an
        incident that nobody closes is worse than one message."""
        update = {"state": "resolved", "resolved_ms": now_ms, "reason": reason}
        alert = alert.model_copy(update=update)
        store.change_alert(c, alert.id, **update)
        if alert.told_ms is None:
            return alert
        return self.tell(c, monitor, alert, "resolved", now_ms)

    def tell(
        self, c: sa.Connection, monitor: Monitor, alert: Alert, said: Said, now_ms: float
    ) -> Alert:
        """Put a message in line for each channel."""
        number = alert.reminders + 1
        if said != "resolved":
            update = {"told_ms": now_ms, "reminders": number}
            alert = alert.model_copy(update=update)
            store.change_alert(c, alert.id, **update)
        message = message_of(said, monitor, alert, console=self._console, now_ms=now_ms)
        for channel_id in monitor.channels:
            sealed = telling.channel_by_id(c, channel_id)
            if sealed is None:
                continue
            delivery = Delivery(
                id=record_id("msg"), channel_id=channel_id, channel=sealed.channel.name,
                project=monitor.project, monitor_id=monitor.id, alert_id=alert.id, said=said,
                state="waiting", attempts=0, created_ms=now_ms, next_ms=now_ms,
                delivered_ms=None, status=0, error="",
            )  # fmt: skip
            telling.add_delivery(c, delivery, message, number)
        return alert


def abandoned(
    c: sa.Connection, episodes: Episodes, monitor: Monitor, why: str, now_ms: float
) -> None:
    """End the episode of a monitor that is changed, disabled or removed."""
    alert_id = monitor.standing.alert_id
    alert = store.alert_by_id(c, alert_id) if alert_id else None
    if alert is not None and alert.state == "firing":
        episodes.end(c, monitor, alert, why, now_ms)
    store.forget_standing(c, monitor.id)
