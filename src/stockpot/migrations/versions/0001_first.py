"""The first schema: access and catalog."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=False)


def _identity(length: int = 40) -> sa.Column[str]:
    return sa.Column("id", sa.String(length), primary_key=True)


def _digest() -> sa.Column[bytes]:
    return sa.Column("digest", sa.LargeBinary(32), primary_key=True)


def _owner() -> sa.Column[str]:
    user = sa.ForeignKey("users.id", ondelete="CASCADE")
    return sa.Column("user_id", sa.String(40), user, nullable=False)


def upgrade() -> None:
    _people()
    _tokens()
    _projects()
    _keys()
    _upstreams()
    _budgets()
    _journal()


def _people() -> None:
    op.create_table(
        "users",
        _identity(),
        sa.Column("email", sa.String(320), nullable=False, unique=True),
        _text("name", 200),
        _text("role", 16),
        sa.Column("password_hash", sa.String(300)),
        _int("created_ms"),
    )
    op.create_table(
        "sessions",
        _digest(),
        _owner(),
        sa.Column("by_link", sa.Boolean, nullable=False),
        _int("created_ms"),
        _int("expires_ms"),
    )
    op.create_table("sign_in_links", _digest(), _owner(), _int("expires_ms"))
    op.create_table(
        "sign_in_failures",
        sa.Column("scope", sa.String(400), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        _int("last_ms"),
    )


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        _identity(),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        _text("user_id", 40),
        _text("name", 100),
        _text("prefix", 20),
        _text("role", 16),
        _int("created_ms"),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("last_used_ms", sa.BigInteger),
    )
    op.create_table(
        "audit_log",
        _identity(),
        _int("at_ms"),
        _text("actor", 400),
        _text("action", 100),
        _text("subject", 400),
        _json("detail"),
    )


def _projects() -> None:
    op.create_table(
        "projects",
        _identity(),
        sa.Column("name", sa.String(63), nullable=False, unique=True),
        _long("owner"),
        _long("description"),
        _text("archetype", 16),
        _long("domain"),
        _text("stage", 16),
        _text("risk_tier", 16),
        _long("target_metric"),
        _json("environments"),
        _int("rpm"),
        _int("tpm"),
        _int("concurrency"),
        _text("payloads", 16),
        _int("created_ms"),
    )


def _keys() -> None:
    op.create_table(
        "virtual_keys",
        _identity(),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        _text("prefix", 20),
        _text("name", 100),
        sa.Column("project", sa.String(63), sa.ForeignKey("projects.name"), nullable=False),
        _text("environment", 200),
        _text("state", 16),
        _int("expires_ms"),
        _json("models"),
        _json("networks"),
        _int("rpm"),
        _int("tpm"),
        _int("concurrency"),
        sa.Column("payloads", sa.String(16)),
        _text("on_disconnect", 16),
        _text("on_ledger_full", 16),
        _int("created_ms"),
        _text("created_by", 400),
    )


def _upstreams() -> None:
    op.create_table(
        "providers",
        sa.Column("name", sa.String(63), primary_key=True),
        _text("vendor", 200),
        _text("base_url", 2000),
        sa.Column("sealed_secret", sa.LargeBinary),
        _text("secret_hint", 100),
        _json("models"),
        _int("created_ms"),
    )
    op.create_table(
        "routes",
        sa.Column("name", sa.String(200), primary_key=True),
        _text("kind", 16),
        _json("targets"),
        sa.Column("attempts", sa.Integer, nullable=False),
        _json("retry_on"),
        _json("timeouts"),
        _int("created_ms"),
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        _identity(),
        _text("scope", 16),
        _text("scope_id", 100),
        _int("limit_nano"),
        _text("period", 16),
        _text("when_away", 16),
        sa.Column("away_multiple", sa.Float, nullable=False),
        _int("period_start_ms"),
        _int("spent_nano"),
        sa.Column("announced_percent", sa.Integer, nullable=False),
        sa.UniqueConstraint("scope", "scope_id"),
    )
    budget = sa.ForeignKey("budgets.id", ondelete="CASCADE")
    op.create_table(
        "leases",
        sa.Column("budget_id", sa.String(40), budget, primary_key=True),
        sa.Column("worker", sa.String(300), primary_key=True),
        _int("held_nano"),
        _int("sequence"),
        _int("reported_nano"),
        _int("updated_ms"),
    )


def _journal() -> None:
    op.create_table(
        "events",
        _identity(),
        _int("at_ms"),
        _text("kind", 100),
        _text("severity", 16),
        _text("subject", 400),
        _long("message"),
        _json("data"),
    )
    op.create_table(
        "revisions",
        sa.Column("revision", sa.Integer, primary_key=True),
        _text("digest", 64),
        _int("created_ms"),
        _text("reason", 400),
    )
