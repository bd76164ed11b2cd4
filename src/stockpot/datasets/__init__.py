"""Data sets: rows with what goes in and what should come out, in versions that never change; and
annotation, in which people say what should come out, or how good something was.

Knows rows, versions, slices and queues, and how rows come out of traces, feedback and files; knows
nothing of evaluation runs but the references that they leave.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.datasets.api import router
    from stockpot.datasets.models import Dataset, DatasetRow, DatasetVersion, NewRow, Use
    from stockpot.datasets.opening import Datasets, open_datasets
    from stockpot.datasets.service.annotation import AnnotationService
    from stockpot.datasets.service.datasets import DatasetService
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "Dataset DatasetRow DatasetVersion NewRow Use",
            "opening": "Datasets open_datasets",
            "service.annotation": "AnnotationService",
            "service.datasets": "DatasetService",
        },
    )

__all__ = [
    "AnnotationService",
    "Dataset",
    "DatasetRow",
    "DatasetService",
    "DatasetVersion",
    "Datasets",
    "NewRow",
    "Use",
    "open_datasets",
    "router",
]
