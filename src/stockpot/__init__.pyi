"""What type checkers see: `__getattr__` of the module gives the same, late."""

from stockpot.sdk import observe as observe

__version__: str
