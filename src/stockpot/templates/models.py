"""A prompt's version as it is rendered, what comes out, and what can be wrong. Without I/O."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from stockpot.core.errors import StockpotError

JSON = dict[str, Any]
Syntax = Literal["jinja", "mustache"]
Kind = Literal["text", "chat"]

PROMPTS_PART = "prompts"
PROMPTS_PART_VERSION = 1


class TemplateFault(StockpotError):
    """What is wrong with a template or with the variables that it was given.

    `variable` names the variable at fault (a path such as `dish.price`), `line` the line of the
    template, 0 where there is none.
    """

    code: ClassVar[str] = "invalid_prompt"
    status: ClassVar[int] = 422

    def __init__(self, message: str, *, variable: str = "", line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.variable = variable
        self.line = line


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a chat prompt: a template, or with `insert` the place of the messages that a
    variable holds (a history)."""

    role: str = ""
    content: str = ""
    insert: str = ""


class Partial(msgspec.Struct, frozen=True, omit_defaults=True):
    """A template that others include, at one version. `pins` as in `Version`."""

    name: str
    number: int
    body: str
    pins: dict[str, str] = {}


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    """One immutable version of a prompt, with everything that rendering it needs.

    `variables_schema` is the JSON Schema of the object that holds the variables; {} takes any.
    `pins` lead from a partial as the template names it (`tone`, `tone@production`) to its key in
    `partials` (`tone@3`), which was decided when the version was made. `params` are OpenAI's names
    of a request's fields. `content_hash` is the SHA-256 of all this without name and number.
    """

    name: str
    number: int
    kind: Kind
    syntax: Syntax = "jinja"
    body: str = ""
    messages: tuple[Message, ...] = ()
    variables_schema: JSON = {}
    partials: dict[str, Partial] = {}
    pins: dict[str, str] = {}
    tools: tuple[JSON, ...] = ()
    response_schema: JSON | None = None
    model: str = ""
    params: JSON = {}
    content_hash: str = ""


class Rendered(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a version and its variables come to. `text` is that of a text prompt, `messages` are
    those of a chat prompt in OpenAI's form."""

    name: str
    number: int
    kind: Kind
    text: str = ""
    messages: tuple[JSON, ...] = ()
    tools: tuple[JSON, ...] = ()
    response_schema: JSON | None = None
    model: str = ""
    params: JSON = {}
    content_hash: str = ""


class Published(msgspec.Struct, frozen=True):
    """A prompt as workers know it: its labels, and the versions that they may be asked for."""

    project: str
    name: str
    labels: dict[str, int]
    versions: tuple[Version, ...]


class PromptsPart(msgspec.Struct, frozen=True):
    """Version 1 of the snapshot's part `prompts`."""

    prompts: tuple[Published, ...]
