"""The services of right-sizing, wired. The composition roots give stores and other capabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.instance import Instance
from stockpot.core.jobs import Handler
from stockpot.evals import open_doing
from stockpot.pipelines.rightsize.ports import World
from stockpot.pipelines.rightsize.service.applying import Applying
from stockpot.pipelines.rightsize.service.running import KIND, Running
from stockpot.pipelines.rightsize.service.saving import Saving
from stockpot.pipelines.rightsize.work import RightsizeJobs


class Rightsizing(NamedTuple):
    """Everything that right-sizing can do."""

    running: Running
    applying: Applying
    saving: Saving


def open_rightsizing(db: Database, world: World) -> Rightsizing:
    """Wire the services of one instance."""
    running = Running(db, world)
    return Rightsizing(running, Applying(db, world, running), Saving(db, world))


def open_jobs(db: Database, instance: Instance, settings: Settings) -> Mapping[str, Handler]:
    """The handlers of right-sizing's jobs, for the process that does them."""
    return {KIND: RightsizeJobs(db, open_doing(db, instance, settings)).handle}
