"""What the playground hands out: recorded calls in one form, replays, shares, checks. No I/O."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
PromptRef = Annotated[str, Field(pattern=r"^[^@\s\x00]{1,200}(@[^@\s\x00]{1,80})?$")]
"""`NAME` or `NAME@LABEL` or `NAME@NUMBER`."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- a recorded call in one form --------------------------------------------------------------


class Lost(Frozen):
    """A field of a recorded request that the common form cannot hold, and why."""

    field: str
    why: str


class Called(Frozen):
    """A tool call as the model wrote it; `arguments` is its JSON text."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Said(Frozen):
    """One choice of an answer. `media` are kinds of what is no text."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[Called, ...] = ()
    media: tuple[str, ...] = ()
    finish: str = ""


class Answer(Frozen):
    """What a model answered. `error` is what it said instead, or where a stream broke off."""

    choices: tuple[Said, ...] = ()
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str = ""


class RecordedCall(Frozen):
    """A recorded call of any dialect: `request` is a chat request in OpenAI's form, which the
    playground runs; `lost` is what that form cannot say of the original."""

    trace_id: str
    span_id: str
    project: str
    name: str
    dialect: str
    endpoint: str
    payload: Literal["full", "masked"]
    request: dict[str, Any]
    answer: Answer | None = None
    lost: tuple[Lost, ...] = ()
    prompt: str = ""
    """`NAME@NUMBER` of the prompt that the gateway filled in, else empty."""
    label: str = ""
    """The label by which it was asked for."""
    variables: dict[str, Any] = {}
    """What it was filled in with."""
    filled: int = 0
    """How many of the first messages the prompt made; the others are the application's."""


# --- replays ------------------------------------------------------------------------------------

StepState = Literal["identical", "differs", "failed", "not_kept", "not_reached", "skipped"]


class ReplayAsked(Frozen):
    """What to run again. `follow` lets later steps go on from what the model says now, with the
    recorded results of its tools; without it every step is asked exactly as it was."""

    trace_id: str = Field(max_length=40)
    project: ProjectName | None = None
    model: str | None = Field(None, min_length=1, max_length=200)
    prompt: PromptRef | None = None
    follow: bool = False


class Difference(Frozen):
    """One field that is not the same; `diff` compares texts line by line."""

    field: str
    before: str
    after: str
    diff: str = ""


class Figures(Frozen):
    """One run of a step. `digest` is the SHA-256 of everything that the model said."""

    digest: str = ""
    latency_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str = ""


class Step(Frozen):
    """One recorded call of a model. `why` explains every state but `identical`."""

    number: int
    span_id: str
    name: str
    model: str
    state: StepState
    why: str = ""
    differences: tuple[Difference, ...] = ()
    recorded: Figures | None = None
    replayed: Figures | None = None
    said: str = ""
    """What the model said now, as text."""


class Stubbed(Frozen):
    """A tool call or a retrieval that was not made again: its recorded result was used."""

    kind: Literal["tool", "retriever", "reranker"]
    name: str
    id: str


class Replay(Frozen):
    """A trace that was run again. `identical` needs every step to be replayed and the same."""

    trace_id: str
    replay_trace_id: str
    """The trace of the new calls."""
    project: str
    model: str
    prompt: str
    follow: bool
    identical: bool
    steps: tuple[Step, ...]
    stubbed: tuple[Stubbed, ...]


# --- checks, tools, shares ------------------------------------------------------------------------


class CheckAsked(Frozen):
    """An answer, and the JSON Schema that it was asked to keep."""

    json_schema: dict[str, Any]
    text: str = Field(max_length=4_000_000)


class Problem(Frozen):
    """Where an answer breaks its schema: `path` is like `$.items[0].price`."""

    path: str
    message: str


class Checked(Frozen):
    valid: bool
    problems: tuple[Problem, ...]


class ToolAsked(Frozen):
    """A tool call that is to be made for real. GET sends the arguments as the query."""

    project: ProjectName = "default"
    name: str = Field(min_length=1, max_length=200)
    url: str = Field(min_length=8, max_length=2_000)
    method: Literal["GET", "POST"] = "POST"
    headers: dict[str, str] = Field({}, max_length=30)
    arguments: dict[str, Any] = {}


class ToolAnswered(Frozen):
    """What the tool said; `cut` when it said more than is taken."""

    status: int
    body: str
    cut: bool
    took_ms: float


class NewShare(Frozen):
    """A set-up of the playground to hand on. `state` is the console's own."""

    project: ProjectName = "default"
    title: str = Field("", max_length=200)
    state: dict[str, Any]


class Share(Frozen):
    id: str
    project: str
    title: str
    author: str
    created_ms: float
    state: dict[str, Any]
