"""stockpot: the whole LLMOps stack in one pot.

Importing this package loads nothing: every capability is a subpackage with a front door of its own.
`from stockpot import observe` loads the client library and nothing of the server.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "observe":
        from importlib import import_module  # no arrow from here: everything stands below

        return import_module("stockpot.sdk").observe
    raise AttributeError(f"module 'stockpot' has no attribute {name!r}")
