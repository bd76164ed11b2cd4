"""Routes of annotation: queues, the next item, answers, settlements, agreement."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from stockpot.datasets.annotation_models import (
    Agreement,
    Answers,
    Item,
    ItemPage,
    NewQueue,
    Queue,
    QueueSettings,
    Settlement,
    Task,
)
from stockpot.datasets.api.who import Editor, Project, Viewer
from stockpot.datasets.models import ProjectName
from stockpot.datasets.opening import Datasets
from stockpot.traces import Seen

State = Annotated[Literal["open", "done", "disputed", "settled"] | None, Query()]


def annotation_routes(routes: APIRouter, datasets: Datasets) -> None:
    """Queues and the work on them."""
    _queues(routes, datasets)
    _work(routes, datasets)


def _queues(routes: APIRouter, datasets: Datasets) -> None:
    queues = datasets.annotation

    @routes.get("/annotation/queues", tags=["annotation"])
    async def list_queues(
        principal: Viewer, project: Annotated[ProjectName | None, Query()] = None
    ) -> tuple[Queue, ...]:
        """Annotation queues that the caller sees, newest first, with their progress."""
        return await queues.all(principal, project)

    @routes.post("/annotation/queues", status_code=201, tags=["annotation"])
    async def create_queue(
        new: NewQueue, principal: Editor, sight: Seen, project: Project = "default"
    ) -> Queue:
        """A queue over rows of a data set or over traces; without a source over the newest."""
        return await queues.create(principal, project, new, sight)

    @routes.get("/annotation/queues/{queue_id}", tags=["annotation"])
    async def get_queue(queue_id: str, principal: Viewer) -> Queue:
        """One queue with its progress."""
        return await queues.get(principal, queue_id)

    @routes.patch("/annotation/queues/{queue_id}", tags=["annotation"])
    async def change_queue(queue_id: str, wanted: QueueSettings, principal: Editor) -> Queue:
        """Change instructions or assignees; close and open again."""
        return await queues.change(principal, queue_id, wanted)

    @routes.get("/annotation/queues/{queue_id}/agreement", tags=["annotation"])
    async def measure_agreement(queue_id: str, principal: Viewer) -> Agreement:
        """Krippendorff's alpha and Cohen's kappa with intervals, question by question."""
        return await queues.agreement(principal, queue_id)


def _work(routes: APIRouter, datasets: Datasets) -> None:
    queues = datasets.annotation

    @routes.get("/annotation/queues/{queue_id}/items", tags=["annotation"])
    async def list_items(
        queue_id: str,
        principal: Viewer,
        state: State = None,
        offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> ItemPage:
        """Items in their order; answers of a blind queue when all have answered."""
        return await queues.items(principal, queue_id, state, offset, limit)

    @routes.post("/annotation/queues/{queue_id}/next", tags=["annotation"])
    async def take_next(queue_id: str, principal: Editor, sight: Seen) -> Task | None:
        """The next item for the caller, theirs alone for fifteen minutes; null when none waits."""
        return await queues.next(principal, queue_id, sight)

    @routes.get("/annotation/queues/{queue_id}/items/{item_id}", tags=["annotation"])
    async def get_task(queue_id: str, item_id: str, principal: Viewer, sight: Seen) -> Task:
        """One item with what there is to look at and what the caller answered before."""
        return await queues.task(principal, queue_id, item_id, sight)

    @routes.put("/annotation/queues/{queue_id}/items/{item_id}/answers", tags=["annotation"])
    async def answer_item(queue_id: str, item_id: str, given: Answers, principal: Editor) -> Item:
        """The caller's answers; until all have answered they may be given anew."""
        return await queues.answer(principal, queue_id, item_id, given)

    @routes.post(
        "/annotation/queues/{queue_id}/items/{item_id}/skip", status_code=204, tags=["annotation"]
    )
    async def skip_item(queue_id: str, item_id: str, principal: Editor) -> None:
        """Leave an item to others."""
        await queues.skip(principal, queue_id, item_id)

    @routes.put("/annotation/queues/{queue_id}/items/{item_id}/settlement", tags=["annotation"])
    async def settle_item(
        queue_id: str, item_id: str, given: Settlement, principal: Editor
    ) -> Item:
        """The answers that stand where annotators differed."""
        return await queues.settle(principal, queue_id, item_id, given)
