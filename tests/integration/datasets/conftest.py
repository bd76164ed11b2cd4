"""Gives tests of data sets a fresh control plane, on each kind of store."""

from tests.integration.control.plane import plane

__all__ = ["plane"]
