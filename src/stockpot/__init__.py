"""stockpot: the whole LLMOps stack in one pot.

Importing this package loads nothing: every capability is a subpackage with a front door of its own.
"""

__version__ = "0.1.0"
