"""Monitors, their alerts and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    _monitors()
    _standings()
    _alerts()
    _channels()
    _deliveries()
    _silences()


def _monitors() -> None:
    op.create_table(
        "monitors",
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


def _standings() -> None:
    op.create_table(
        "monitor_standings",
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


def _alerts() -> None:
    op.create_table(
        "monitor_alerts",
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
    )
    op.create_index("monitor_alerts_by_monitor", "monitor_alerts", ["monitor_id", "id"])


def _channels() -> None:
    op.create_table(
        "monitor_channels",
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


def _deliveries() -> None:
    op.create_table(
        "monitor_deliveries",
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
        sa.UniqueConstraint("alert_id", "channel_id", "said", "number"),
    )
    op.create_index("monitor_deliveries_waiting", "monitor_deliveries", ["state", "next_ms"])


def _silences() -> None:
    op.create_table(
        "monitor_silences",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("project", sa.String(63), nullable=False),
        sa.Column("monitor_id", sa.String(40)),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(400), nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
    )
