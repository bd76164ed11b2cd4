"""Automation across capabilities: data sets, judges, routes and experiments, taken together.

Each pipeline is a package of its own below this one; `declared` are those that people write down.
Knows how capabilities fit together; holds no statistics, no scorer and no gateway of its own.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.pipelines.declared.api import pipeline_router
    from stockpot.pipelines.declared.doing import PipelineDoer
    from stockpot.pipelines.declared.files import folder_of
    from stockpot.pipelines.declared.triggers import triggers_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "declared.api": "pipeline_router",
            "declared.doing": "PipelineDoer",
            "declared.files": "folder_of",
            "declared.triggers": "triggers_of",
        },
    )

__all__ = ["PipelineDoer", "folder_of", "pipeline_router", "triggers_of"]
