"""Judges, their versions and certificates."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    pass
