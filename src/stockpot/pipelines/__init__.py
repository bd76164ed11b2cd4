"""Automation across capabilities: data sets, judges, routes and experiments, taken together.

Each pipeline is a package of its own below this one. Knows how capabilities fit together; holds
no statistics, no scorer and no gateway of its own.
"""

__all__ = ()
