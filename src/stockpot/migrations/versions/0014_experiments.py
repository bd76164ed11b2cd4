"""Experiments, their decisions and what they saw of each unit."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    pass
