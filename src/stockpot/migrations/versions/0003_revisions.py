"""Revisions of the definitions, the journal of moved pointers, and what files need to name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    op.create_table(
        "definition_revisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("parent", sa.Integer),
        _text("kind", 16),
        _text("state", 16),
        _text("digest", 64),
        _text("author", 400),
        _long("message"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("watched", sa.JSON),
        sa.Column("place", sa.Integer),
        _int("created_ms"),
    )
    op.create_table(
        "pointer_moves",
        sa.Column("id", sa.String(40), primary_key=True),
        _int("at_ms"),
        _text("section", 40),
        _text("name", 200),
        _text("field", 40),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
        _text("actor", 400),
        _long("reason"),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    for table in ("providers", "virtual_keys"):
        reference = sa.Column("secret_ref", sa.String(2000), nullable=False, server_default="")
        op.add_column(table, reference)
    op.add_column("providers", sa.Column("listed", sa.JSON, nullable=False, server_default="[]"))
    handle = sa.Column("handle", sa.String(120), nullable=False, server_default="")
    op.add_column("virtual_keys", handle)
    _name_keys(op.get_bind())


def _name_keys(connection: sa.Connection) -> None:
    """A file names each key that works by a word of its own: its name, or its name and a number."""
    keys = sa.table("virtual_keys", sa.column("id"), sa.column("name"), sa.column("handle"))
    taken: set[str] = set()
    for ident, name in connection.execute(sa.select(keys.c.id, keys.c.name).order_by(keys.c.id)):
        handle, number = name, 1
        while handle in taken:
            number += 1
            handle = f"{name}-{number}"
        taken.add(handle)
        connection.execute(sa.update(keys).where(keys.c.id == ident).values(handle=handle))
