"""Rendering prompts: a version and variables in, messages or text out. Pure.

Knows templates (sandboxed Jinja and Mustache) and the types of variables; knows no project, no
label, no table and no socket. The gateway, the SDK and the control plane render with it, so that
a prompt comes out the same everywhere. What Jinja needs is loaded with the first Jinja prompt.
"""

from stockpot.templates.models import (
    PROMPTS_PART,
    PROMPTS_PART_VERSION,
    Message,
    Partial,
    PromptsPart,
    Published,
    Rendered,
    TemplateFault,
    Version,
)
from stockpot.templates.rendering import Examined, examine, named_partials, render, sources
from stockpot.templates.schema import Check, compile_schema

__all__ = [
    "PROMPTS_PART",
    "PROMPTS_PART_VERSION",
    "Check",
    "Examined",
    "Message",
    "Partial",
    "PromptsPart",
    "Published",
    "Rendered",
    "TemplateFault",
    "Version",
    "compile_schema",
    "examine",
    "named_partials",
    "render",
    "sources",
]
