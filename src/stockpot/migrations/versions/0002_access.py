"""People in teams and projects, sign-in by other providers, requests, a chained audit log.

The audit log takes triggers that refuse to change or delete its rows; a later migration that builds
the table anew must put them back.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SCOPES = {"admin": ["read", "write", "admin"], "viewer": ["read"]}
_CHAINED = (
    "number", "id", "at_ms", "actor_id", "actor", "address", "action", "subject", "project",
    "before", "after", "detail",
)  # fmt: skip


def _text(name: str, length: int, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, server_default=default)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _user(*, primary_key: bool = False) -> sa.Column[str]:
    user = sa.ForeignKey("users.id", ondelete="CASCADE")
    return sa.Column("user_id", sa.String(40), user, primary_key=primary_key, nullable=False)


def upgrade() -> None:
    _people()
    _tokens()
    _requests()
    _audit()
    op.add_column("virtual_keys", _text("owner_id", 40, default=""))


def _people() -> None:
    active = sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true())
    op.add_column("users", active)
    op.create_index("sessions_by_user", "sessions", ["user_id"])
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(400), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        _user(),
    )
    op.create_table(
        "teams",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(63), nullable=False, unique=True),
        _int("created_ms"),
    )
    team = sa.ForeignKey("teams.id", ondelete="CASCADE")
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.String(40), team, primary_key=True),
        _user(primary_key=True),
        _text("role", 16),
    )
    op.create_index("team_members_by_user", "team_members", ["user_id"])
    op.create_table(
        "project_access",
        sa.Column("project", sa.String(63), primary_key=True),
        sa.Column("subject_id", sa.String(40), primary_key=True),
        _text("role", 16),
        _int("created_ms"),
    )
    op.create_index("project_access_by_subject", "project_access", ["subject_id"])


def _tokens() -> None:
    scopes = sa.Column("scopes", sa.JSON, nullable=False, server_default='["read", "write"]')
    op.add_column("api_tokens", scopes)
    op.add_column("api_tokens", sa.Column("project", sa.String(63)))
    op.create_index("api_tokens_by_user", "api_tokens", ["user_id"])
    table = sa.table("api_tokens", sa.column("role"), sa.column("scopes", sa.JSON))
    for role, given in _SCOPES.items():
        op.execute(sa.update(table).where(table.c.role == role).values(scopes=given))


def _requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.String(40), primary_key=True),
        _text("project", 63),
        _text("kind", 16),
        _text("key_id", 40),
        sa.Column("wanted", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _text("asked_by", 40),
        _text("asked_label", 400),
        _int("created_ms"),
        _text("state", 16),
        _text("decided_by", 400),
        sa.Column("decided_ms", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("access_requests_by_project", "access_requests", ["project", "id"])


def _audit() -> None:
    op.add_column(
        "audit_log", sa.Column("number", sa.BigInteger, nullable=False, server_default="0")
    )
    for name, length in (("actor_id", 40), ("address", 100), ("project", 63)):
        op.add_column("audit_log", _text(name, length, default=""))
    for name in ("before", "after", "hash"):
        op.add_column("audit_log", _text(name, 64, default=""))
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _int("number"),
        _text("hash", 64),
    )
    number, last = _chain(op.get_bind())
    op.create_index("audit_log_by_number", "audit_log", ["number"], unique=True)
    op.bulk_insert(head, [{"id": 1, "number": number, "hash": last}])
    _append_only()


def _chain(connection: sa.Connection) -> tuple[int, str]:
    """Number what is there and chain it; gives the head."""
    table = sa.table("audit_log", *(sa.column(n) for n in _CHAINED if n != "detail"),
                     sa.column("detail", sa.JSON), sa.column("hash"))  # fmt: skip
    number, last = 0, ""
    for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings().all():
        number += 1
        told = {**row, "number": number}
        text = json.dumps([last, *(told[name] for name in _CHAINED)], sort_keys=True,
                          separators=(",", ":"))  # fmt: skip
        last = hashlib.sha256(text.encode()).hexdigest()
        values = {"number": number, "hash": last}
        connection.execute(sa.update(table).where(table.c.id == row["id"]).values(values))
    return number, last


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_log_{verb.lower()} BEFORE {verb} ON audit_log "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION audit_log_stays()"
    )
