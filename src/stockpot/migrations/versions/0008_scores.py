"""Scores and feedback on traces, spans and sessions."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass
