"""What people declare of a project's way to production."""

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    pass
