"""What an application imports: observe what it does, use prompts, take part in experiments, give
feedback.

    from stockpot import observe

    @observe(kind="tool")
    def search(dish: str) -> list[str]: ...

Spans and feedback go out from one background thread with a bounded buffer; prompts are kept and
watched. Whatever happens to the server, nothing here blocks or breaks the application. Knows the
server by its HTTP paths alone: nothing of the product but `templates` and `assign` is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stockpot.sdk.observing import Observer
from stockpot.sdk.options import Options
from stockpot.sdk.span import Span

if TYPE_CHECKING:
    from stockpot.sdk.assigning import Assignment, Experiments
    from stockpot.sdk.giving import Feedback
    from stockpot.sdk.prompting import Prompt, Prompts, PromptUnavailable

    experiments: Experiments
    prompts: Prompts
    feedback: Feedback

__all__ = [
    "Assignment",
    "Experiments",
    "Feedback",
    "Observer",
    "Options",
    "Prompt",
    "PromptUnavailable",
    "Prompts",
    "Span",
    "experiments",
    "feedback",
    "observe",
    "prompts",
]

observe = Observer()
"""The observer of this process; set up by the environment, or by `observe.configure`."""

_LATER = {
    "Assignment": "stockpot.sdk.assigning",
    "Experiments": "stockpot.sdk.assigning",
    "Feedback": "stockpot.sdk.giving",
    "Prompt": "stockpot.sdk.prompting",
    "PromptUnavailable": "stockpot.sdk.prompting",
    "Prompts": "stockpot.sdk.prompting",
}


def __getattr__(name: str) -> Any:
    """What not every application uses is loaded when it is first asked for."""
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    if name == "prompts":
        return _kept(name, importlib.import_module("stockpot.sdk.prompting").Prompts())
    if name == "experiments":
        made = importlib.import_module("stockpot.sdk.assigning").Experiments(observer=observe)
        return _kept(name, made)
    if name == "feedback":
        return _kept(name, importlib.import_module("stockpot.sdk.giving").Feedback(observe))
    raise AttributeError(f"module 'stockpot.sdk' has no attribute {name!r}")


def _kept(name: str, value: Any) -> Any:
    globals()[name] = value
    return value
