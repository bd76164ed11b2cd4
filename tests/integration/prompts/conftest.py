"""A control plane in this process, or with two real workers in front of a vendor's stand-in."""

from tests.integration.control.plane import plane
from tests.integration.revisions.fleet import fleet, stub

__all__ = ["fleet", "plane", "stub"]
