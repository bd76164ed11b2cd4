"""Runs that look for the cheapest model that still passes."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    pass
