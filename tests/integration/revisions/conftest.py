"""Gives these tests a control plane, alone or with two workers."""

from tests.integration.control.plane import plane
from tests.integration.revisions.fleet import fleet, stub

__all__ = ["fleet", "plane", "stub"]
