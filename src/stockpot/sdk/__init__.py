"""What an application imports: observe what it does, use prompts, give feedback.

    from stockpot import observe

    @observe(kind="tool")
    def search(dish: str) -> list[str]: ...

Spans and feedback go out from one background thread with a bounded buffer; prompts are kept and
watched. Whatever happens to the server, nothing here blocks or breaks the application. Knows the
server by its HTTP paths alone: nothing of the product but `templates` is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stockpot.sdk.observe import Observer
from stockpot.sdk.options import Options
from stockpot.sdk.span import Span

if TYPE_CHECKING:
    from stockpot.sdk.feedback import Feedback
    from stockpot.sdk.prompts import Prompt, Prompts, PromptUnavailable

__all__ = [
    "Feedback",
    "Observer",
    "Options",
    "Prompt",
    "PromptUnavailable",
    "Prompts",
    "Span",
    "feedback",
    "observe",
    "prompts",
]

observe = Observer()
"""The observer of this process; set up by the environment, or by `observe.configure`."""

_LATER = {
    "Feedback": "stockpot.sdk.feedback",
    "Prompt": "stockpot.sdk.prompts",
    "PromptUnavailable": "stockpot.sdk.prompts",
    "Prompts": "stockpot.sdk.prompts",
}


def __getattr__(name: str) -> Any:
    """What not every application uses is loaded when it is first asked for."""
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    if name == "prompts":
        return _kept(name, importlib.import_module("stockpot.sdk.prompts").Prompts())
    if name == "feedback":
        return _kept(name, importlib.import_module("stockpot.sdk.feedback").Feedback(observe))
    raise AttributeError(f"module 'stockpot.sdk' has no attribute {name!r}")


def _kept(name: str, value: Any) -> Any:
    globals()[name] = value
    return value
