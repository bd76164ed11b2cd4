"""Integration tests start hundreds of control planes in this process."""

from __future__ import annotations

from tests.remembered_routes import remember

remember()
