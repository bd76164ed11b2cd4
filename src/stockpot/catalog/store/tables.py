"""The catalog's tables. The migrations build them; a test compares the two."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _limits() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("rpm", sa.BigInteger, nullable=False),
        sa.Column("tpm", sa.BigInteger, nullable=False),
        sa.Column("concurrency", sa.BigInteger, nullable=False),
    )


projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(63), nullable=False, unique=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("archetype", sa.String(16), nullable=False),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("risk_tier", sa.String(16), nullable=False),
    sa.Column("target_metric", sa.Text, nullable=False),
    sa.Column("environments", sa.JSON, nullable=False),
    *_limits(),
    sa.Column("payloads", sa.String(16), nullable=False),
    sa.Column("cache", sa.JSON(none_as_null=True)),
    sa.Column("apart", sa.JSON(none_as_null=True)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
virtual_keys = sa.Table(
    "virtual_keys",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("prefix", sa.String(20), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("project", sa.ForeignKey("projects.name"), nullable=False),
    sa.Column("environment", sa.String(200), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    sa.Column("models", sa.JSON, nullable=False),
    sa.Column("networks", sa.JSON, nullable=False),
    *_limits(),
    sa.Column("payloads", sa.String(16)),
    sa.Column("cache", sa.JSON(none_as_null=True)),
    sa.Column("apart", sa.JSON(none_as_null=True)),
    sa.Column("on_disconnect", sa.String(16), nullable=False),
    sa.Column("on_ledger_full", sa.String(16), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Column("owner_id", sa.String(40), nullable=False, server_default=""),
    sa.Column("secret_ref", sa.String(2000), nullable=False, server_default=""),
    sa.Column("handle", sa.String(120), nullable=False, server_default=""),
)
providers = sa.Table(
    "providers",
    metadata,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("vendor", sa.String(200), nullable=False),
    sa.Column("base_url", sa.String(2000), nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary),
    sa.Column("secret_hint", sa.String(100), nullable=False),
    sa.Column("models", sa.JSON, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("secret_ref", sa.String(2000), nullable=False, server_default=""),
    sa.Column("listed", sa.JSON, nullable=False, server_default="[]"),
)
routes = sa.Table(
    "routes",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("targets", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("retry_on", sa.JSON, nullable=False),
    sa.Column("timeouts", sa.JSON, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("choice", sa.JSON, nullable=False, server_default="{}"),
)
budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("scope_id", sa.String(100), nullable=False),
    sa.Column("limit_nano", sa.BigInteger, nullable=False),
    sa.Column("period", sa.String(16), nullable=False),
    sa.Column("when_away", sa.String(16), nullable=False),
    sa.Column("away_multiple", sa.Float, nullable=False),
    sa.Column("period_start_ms", sa.BigInteger, nullable=False),
    sa.Column("spent_nano", sa.BigInteger, nullable=False),
    sa.Column("announced_percent", sa.Integer, nullable=False),
    sa.UniqueConstraint("scope", "scope_id"),
)
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("budget_id", sa.ForeignKey("budgets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("worker", sa.String(300), primary_key=True),
    sa.Column("held_nano", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("reported_nano", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(100), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(400), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)
revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
)
own_prices = sa.Table(
    "own_prices",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("provider", sa.String(200), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("tier", sa.String(40), nullable=False),
    sa.Column("above", sa.BigInteger, nullable=False),
    sa.Column("valid_from_ms", sa.BigInteger, nullable=False),
    sa.Column("dollars", sa.JSON, nullable=False),
    sa.Column("source", sa.String(500), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.UniqueConstraint("provider", "model", "tier", "above", "valid_from_ms"),
)
