"""The tables of monitors. The migrations build them; a test compares the two."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

monitors = sa.Table(
    "monitors",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("slice", sa.JSON, nullable=False),
    sa.Column("rule", sa.JSON, nullable=False),
    sa.Column("channels", sa.JSON, nullable=False),
    sa.Column("remind_s", sa.Integer, nullable=False),
    sa.Column("no_data", sa.String(16), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("project", "name"),
)
standings = sa.Table(
    "monitor_standings",
    metadata,
    sa.Column(
        "monitor_id",
        sa.String(40),
        sa.ForeignKey("monitors.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
    sa.Column("beyond_since_ms", sa.BigInteger),
    sa.Column("back_since_ms", sa.BigInteger),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("alert_id", sa.String(40)),
    sa.Column("evaluated_ms", sa.BigInteger, nullable=False),
)
alerts = sa.Table(
    "monitor_alerts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("monitor_id", sa.String(40), nullable=False),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("monitor", sa.String(100), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("resolved_ms", sa.BigInteger),
    sa.Column("value", sa.Float),
    sa.Column("worst", sa.Float),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("silenced", sa.Boolean, nullable=False),
    sa.Column("told_ms", sa.BigInteger),
    sa.Column("reminders", sa.Integer, nullable=False),
    sa.Index("monitor_alerts_by_monitor", "monitor_id", "id"),
)
channels = sa.Table(
    "monitor_channels",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("address", sa.String(300), nullable=False),
    sa.Column("sealed_url", sa.LargeBinary, nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.UniqueConstraint("project", "name"),
)
deliveries = sa.Table(
    "monitor_deliveries",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("channel_id", sa.String(40), nullable=False),
    sa.Column("channel", sa.String(100), nullable=False),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("monitor_id", sa.String(40), nullable=False),
    sa.Column("alert_id", sa.String(40), nullable=False),
    sa.Column("said", sa.String(16), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("message", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("next_ms", sa.BigInteger),
    sa.Column("delivered_ms", sa.BigInteger),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    # One message of a kind and number for each alert and channel: dedupe, whoever asks twice.
    sa.UniqueConstraint("alert_id", "channel_id", "said", "number"),
    sa.Index("monitor_deliveries_waiting", "state", "next_ms"),
)
silences = sa.Table(
    "monitor_silences",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("monitor_id", sa.String(40)),
    sa.Column("until_ms", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
)
