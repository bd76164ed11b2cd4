"""What an experiment splits: labels of prompts, and names of models. Knows where each is kept, what
a target means there, and how the winner takes the subject's place."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from stockpot.access import Principal
from stockpot.catalog import Model, RouteSettings
from stockpot.core.errors import Conflict, Forbidden, InvalidInput
from stockpot.experiments.models import Arm, Experiment, NewExperiment
from stockpot.prompts import LabelTo, NewProposal, Prompts


class Models(Protocol):
    """The part of the catalog that is needed here."""

    async def named(self, name: str) -> Model: ...

    async def set_alias(self, actor: Principal, name: str, wanted: RouteSettings) -> Model: ...


class Subjects(NamedTuple):
    """Prompts and models of one instance."""

    prompts: Prompts
    models: Models

    async def check(self, actor: Principal, project: str, new: NewExperiment) -> None:
        """Everything that an experiment names is there; raises NotFound or InvalidInput."""
        for target in (new.subject, *(arm.target for arm in new.arms if arm.target)):
            if new.kind == "label":
                name, ref = prompt_of(target)
                if name != prompt_of(new.subject)[0]:
                    raise InvalidInput(
                        f"the arm's target {target!r} is another prompt than {new.subject!r}",
                        hint="a label points at versions of its own prompt",
                    )
                await self.prompts.get(project, name, ref, actor)
            else:
                await self.models.named(target)

    async def release(self, actor: Principal, experiment: Experiment, arm: Arm, reason: str) -> str:
        """Let the winner take the subject's place, as far as that may happen by itself; tells what
        was done, or what is left to do. `reason` is what moved pointers keep."""
        if not arm.target or arm.target == experiment.subject:
            return f"{experiment.subject} stays as it is"
        if experiment.kind == "label":
            return await self._release_label(actor, experiment, arm, reason)
        if not experiment.auto_release:
            return f"to make it permanent: stockpot experiments release {experiment.name}"
        subject, winner = await self.models.named(experiment.subject), arm.target
        if experiment.kind != "alias" or subject.origin != "alias":
            return f"{experiment.subject!r} is no alias, so that nothing was moved"
        target = await self.models.named(winner)
        await self.models.set_alias(actor, experiment.subject, leading(subject, target))
        return f"the alias {experiment.subject!r} leads where {winner!r} leads"

    async def _release_label(
        self, actor: Principal, experiment: Experiment, arm: Arm, reason: str
    ) -> str:
        project = experiment.project
        name, label = prompt_of(experiment.subject)
        version = (await self.prompts.get(project, name, prompt_of(arm.target)[1], actor)).number
        if experiment.auto_release:
            try:
                to = LabelTo(version=version, reason=reason)
                await self.prompts.labels.move_label(actor, project, name, label, to)
            except Forbidden:
                pass  # it is protected: somebody else decides
            except Conflict:
                return f"{experiment.subject} is at version {version} already"
            else:
                return f"{experiment.subject} was moved to version {version}"
        try:
            asked = NewProposal(label=label, version=version, reason=reason)
            await self.prompts.labels.propose(actor, project, name, asked)
        except Conflict:
            return f"{experiment.subject} is at version {version} already"
        return f"it is proposed that {experiment.subject} moves to version {version}"


def leading(subject: Model, target: Model) -> RouteSettings:
    """The subject with the winner's targets and the rules that lead to them; how an alias chooses
    among them and waits stays. A name that is no alias yet becomes one that does as the winner."""
    how = subject if subject.origin == "alias" else target
    kept = {name: getattr(how, name) for name in RouteSettings.model_fields}
    return RouteSettings(**{**kept, "targets": target.defined, "rules": target.rules})


def prompt_of(target: str) -> tuple[str, str]:
    """Name and label or number of `NAME@REF`; raises InvalidInput."""
    name, _, ref = target.rpartition("@")
    if not name or not ref:
        raise InvalidInput(f"{target!r} is not NAME@LABEL or NAME@NUMBER")
    return name, ref
