"""A pipeline as it is declared: triggers, steps and what each step says. Frozen, without I/O."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stockpot.monitors import CheckSettings, NewCheck

VerbName = Literal[
    "ingest", "harvest", "eval", "gate", "release", "online", "canary", "drift",
]  # fmt: skip
Word = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]
StepId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trigger(Frozen):
    """What sets a pipeline off when it changes: files below the folder of pipelines
    (`menus/*.csv`), a data set (a new version) or a prompt's label (`menu@production`)."""

    file: str = Field("", max_length=300)
    dataset: str = Field("", max_length=100)
    prompt: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _one(self) -> Trigger:
        if sum(map(bool, (self.file, self.dataset, self.prompt))) != 1:
            raise ValueError("a trigger names one of file, dataset and prompt")
        return self


class Step(Frozen):
    """One step. `needs` are steps that have to be done before; without any, the one above it.
    `options` are what its verb reads (`stockpot pipelines verbs`). A step whose inputs are what
    they were when it was done last is skipped, unless `always`."""

    id: StepId
    use: VerbName
    needs: tuple[StepId, ...] | None = Field(None, max_length=50)
    always: bool = False
    options: dict[str, Any] = Field(default_factory=dict, max_length=30)


class PipelineSpec(Frozen):
    """What a pipeline does, step by step."""

    triggers: tuple[Trigger, ...] = Field((), max_length=20)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _in_order(self) -> PipelineSpec:
        before: list[str] = []
        for step in self.steps:
            if step.id in before:
                raise ValueError(f"two steps are called {step.id!r}")
            for need in step.needs or ():
                if need not in before:
                    raise ValueError(f"the step {step.id!r} needs {need!r}, which is not above it")
            before.append(step.id)
        return self

    def needs_of(self, at: int) -> tuple[str, ...]:
        """The steps that have to be done before one."""
        step = self.steps[at]
        if step.needs is not None:
            return step.needs
        return (self.steps[at - 1].id,) if at else ()


class Pipeline(CheckSettings, PipelineSpec):
    """A pipeline with its name and schedule."""


StepState = Literal["waiting", "running", "done", "skipped", "failed", "not run"]


class StepRun(Frozen):
    """A step of a run. `link` is where in the console its output stands; `inputs` is the hash of
    what it was done with, '' where that cannot be told; `ref` what it began, to go on after a
    crash."""

    id: str
    use: VerbName
    state: StepState = "waiting"
    started_ms: float | None = None
    finished_ms: float | None = None
    words: str = ""
    link: str = ""
    inputs: str = ""
    ref: str = ""
    output: dict[str, Any] = {}


def as_check(asked: Pipeline) -> NewCheck:
    """What is kept: the settings of every check, and what its doer reads."""
    shared = {name: getattr(asked, name) for name in CheckSettings.model_fields}
    spec = asked.model_dump(mode="json", exclude=set(CheckSettings.model_fields))
    return NewCheck(**shared, kind="pipeline", spec=spec)
