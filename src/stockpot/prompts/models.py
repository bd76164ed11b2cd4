"""Prompts, their versions, labels, protections, proposals and comments. Without I/O.

A version never changes. What moves is a label, which points at a version; each move stands in the
journal with who made it and why.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stockpot.traces import Quantiles, ScoreSummary


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


PRODUCTION = "production"
LATEST = "latest"
"""Stands for the newest version; no label may be called so."""

NAME = r"^[a-z0-9][a-z0-9._-]{0,99}$"
LABEL = r"^[a-z][a-z0-9._-]{0,39}$"
PromptName = Annotated[str, Field(pattern=NAME)]
LabelName = Annotated[str, Field(pattern=LABEL)]
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Tag = Annotated[str, Field(min_length=1, max_length=60)]
Folder = Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$", max_length=200)]
Text = Annotated[str, Field(max_length=500_000)]
Reason = Annotated[str, Field(max_length=2000)]
MessageRole = Literal["system", "developer", "user", "assistant"]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class PromptMessage(Frozen):
    """One message of a chat prompt: `role` and a template, or with `insert` the name of the
    variable whose messages stand here."""

    role: MessageRole | None = None
    content: Text = ""
    insert: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _one_of_both(self) -> PromptMessage:
        if bool(self.insert) == (self.role is not None):
            raise ValueError("a message has either a role, or the variable to insert")
        return self


class PromptContent(Frozen):
    """What a version says. `body` is the template of a text prompt, `messages` are those of a chat.

    `variables_schema` is the JSON Schema of the object that holds the variables. `tools` and
    `response_schema` are as in OpenAI's requests (a function; a JSON Schema). `params` are fields
    of a request by OpenAI's names, such as `temperature`; a request overrides them.
    """

    kind: Literal["text", "chat"] = "text"
    syntax: Literal["jinja", "mustache"] = "jinja"
    body: Text = ""
    messages: tuple[PromptMessage, ...] = Field((), max_length=200)
    variables_schema: dict[str, Any] = {}
    tools: tuple[dict[str, Any], ...] = Field((), max_length=200)
    response_schema: dict[str, Any] | None = None
    model: str = Field("", max_length=200)
    params: dict[str, Any] = {}

    @model_validator(mode="after")
    def _of_its_kind(self) -> PromptContent:
        if self.kind == "text" and self.messages:
            raise ValueError("a text prompt has a body and no messages")
        if self.kind == "chat" and self.body:
            raise ValueError("a chat prompt has messages and no body")
        if self.kind == "chat" and not self.messages:
            raise ValueError("a chat prompt has at least one message")
        return self


class NewVersion(Frozen):
    """`parent` is the version that was edited; the newest where none is named. With `expect` it is
    only made while that is the newest one."""

    content: PromptContent
    message: Reason = ""
    parent: VersionNumber | None = None
    expect: int | None = Field(None, ge=0, le=2**31 - 1)


class NewPrompt(NewVersion):
    """A prompt with its first version."""

    name: PromptName
    project: ProjectName = "default"
    description: str = Field("", max_length=2000)
    folder: Folder = ""
    owner: str = Field("", max_length=320)
    tags: tuple[Tag, ...] = Field((), max_length=50)


class PromptSettings(Frozen):
    """What to change of a prompt; null keeps."""

    description: str | None = Field(None, max_length=2000)
    folder: Folder | None = None
    owner: str | None = Field(None, max_length=320)
    tags: tuple[Tag, ...] | None = Field(None, max_length=50)
    archived: bool | None = None


class PromptLabel(Frozen):
    label: str
    version: int
    moved_ms: float
    moved_by: str
    protected: bool = False


class PinnedPartial(Frozen):
    """A partial that a version includes, as its template names it, at the version that was decided
    when the version was made."""

    ref: str
    name: str
    version: int


class PromptVersion(Frozen):
    """A version without its content. `variables` are those that the templates read."""

    number: int
    parent: int | None
    content_hash: str
    message: str
    author: str
    created_ms: float
    labels: tuple[str, ...] = ()


class PromptVersionDetail(PromptVersion):
    content: PromptContent
    variables: tuple[str, ...] = ()
    partials: tuple[PinnedPartial, ...] = ()


class PromptSummary(Frozen):
    """A prompt in a list. `latest` is its newest version."""

    id: str
    project: str
    name: str
    kind: Literal["text", "chat"]
    description: str
    folder: str
    owner: str
    tags: tuple[str, ...]
    latest: int
    labels: tuple[PromptLabel, ...]
    created_ms: float
    created_by: str
    changed_ms: float
    archived: bool = False


class LabelProtection(Frozen):
    """A label that moves only when another person approves; `prompt` '' is every prompt of the
    project. `role` is the least that this person has, `evaluation` asks for a passed one."""

    project: str
    prompt: str = ""
    label: str
    role: Literal["editor", "admin"] = "editor"
    evaluation: bool = False
    created_ms: float = 0
    created_by: str = ""


class NewProtection(Frozen):
    project: ProjectName = "default"
    prompt: PromptName | None = None
    label: LabelName = PRODUCTION
    role: Literal["editor", "admin"] = "editor"
    evaluation: bool = False


class LabelProposal(Frozen):
    """A move that waits for somebody else, or what became of it. `before` is where the label was
    when it was proposed; `evaluation` is the run that stood for it."""

    id: str
    project: str
    prompt: str
    label: str
    version: int
    before: int | None
    reason: str
    asked_by: str
    asked_label: str
    created_ms: float
    state: Literal["open", "approved", "rejected", "withdrawn"]
    decided_by: str = ""
    decided_ms: float | None = None
    note: str = ""
    evaluation: str = ""


class PromptComment(Frozen):
    """`version` None is about the prompt as a whole."""

    id: str
    version: int | None
    author_id: str
    author: str
    text: str
    created_ms: float


class PromptDetail(Frozen):
    """A prompt with what belongs to it; the versions newest first, at most 100."""

    prompt: PromptSummary
    versions: tuple[PromptVersion, ...]
    protections: tuple[LabelProtection, ...]
    proposals: tuple[LabelProposal, ...]
    """Those that are open."""


class LabelTo(Frozen):
    """Where a label is to point, and why."""

    version: VersionNumber
    reason: Reason = ""


class NewProposal(LabelTo):
    label: LabelName = PRODUCTION


class RollbackTo(Frozen):
    """Where to go back to: the version that the label was at before, where none is named."""

    version: VersionNumber | None = None
    reason: Reason = ""


class NewComment(Frozen):
    text: str = Field(min_length=1, max_length=20_000)
    version: VersionNumber | None = None


class Note(Frozen):
    note: Reason = ""


class LabelMove(Frozen):
    """One line of a label's history; versions, None where it was not there."""

    id: str
    at_ms: float
    label: str
    before: int | None
    after: int | None
    actor: str
    reason: str


class PromptDifference(Frozen):
    """Two versions as files, and what turns one into the other as a unified diff."""

    before: int
    after: int
    text: str
    before_text: str
    after_text: str


class RenderRequest(Frozen):
    """A version by `ref` (a label, a number, `latest`; production where nothing is named), or a
    draft as `content`, with the variables to fill in."""

    ref: str = Field("", max_length=60)
    content: PromptContent | None = None
    variables: dict[str, Any] = {}


class RenderedPrompt(Frozen):
    """`text` is that of a text prompt, `messages` are those of a chat in OpenAI's form."""

    name: str
    number: int
    kind: Literal["text", "chat"]
    text: str = ""
    messages: tuple[dict[str, Any], ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None
    model: str = ""
    params: dict[str, Any] = {}
    variables: tuple[str, ...] = ()
    """Those that the templates read."""


class PromptFilter(Frozen):
    """Which prompts to list. `q` is found in names, descriptions, tags, folders and bodies: each of
    its words."""

    project: str | None = Field(None, max_length=63)
    q: str | None = Field(None, max_length=400)
    tag: str | None = Field(None, max_length=60)
    folder: str | None = Field(None, max_length=200)
    owner: str | None = Field(None, max_length=320)
    archived: bool = False


class PromptHit(Frozen):
    """A prompt that was found; `likeness` is the cosine of the embeddings, -1 to 1; None where it
    was found by words."""

    prompt: PromptSummary
    likeness: float | None = None


class PromptSearch(Frozen):
    """What was found, the nearest first: `by` meaning with an embedding `model`, or by words, and
    then `why` says what stood in the way."""

    by: Literal["meaning", "words"]
    model: str
    why: str
    items: tuple[PromptHit, ...]


class ResolvedPrompt(Frozen):
    """A version with everything that rendering it needs, its partials included, so that a program
    renders it without asking again. `label` is the one that led here, '' for a number."""

    project: str
    name: str
    number: int
    label: str = ""
    content_hash: str
    kind: Literal["text", "chat"]
    syntax: Literal["jinja", "mustache"] = "jinja"
    body: str = ""
    messages: tuple[dict[str, str], ...] = ()
    variables_schema: dict[str, Any] = {}
    partials: dict[str, dict[str, Any]] = {}
    pins: dict[str, str] = {}
    tools: tuple[dict[str, Any], ...] = ()
    response_schema: dict[str, Any] | None = None
    model: str = ""
    params: dict[str, Any] = {}

    @property
    def tag(self) -> str:
        """What tells this answer from another one (its ETag)."""
        return f'"{self.number}-{self.content_hash[:24]}"'


class PromptFigures(Frozen):
    """What one version did in a window; version 0 is all of them. A call counts once, its retries
    add their tokens and cost. `cost_nano` leaves out the `unpriced`. `scores` are summaries by
    name, feedback among them. `traces` is the filter of `GET /traces` that shows the calls."""

    version: int
    calls: int
    errors: int
    unpriced: int
    cost_nano: int
    input_tokens: int
    output_tokens: int
    latency_ms: Quantiles
    ttft_ms: Quantiles
    tpot_ms: Quantiles
    scores: tuple[ScoreSummary, ...] = ()
    traces: dict[str, str | float]


class PromptMetrics(Frozen):
    prompt: str
    project: str
    from_ms: float
    to_ms: float
    total: PromptFigures
    versions: tuple[PromptFigures, ...]
    """Those that were called or scored, newest first."""
