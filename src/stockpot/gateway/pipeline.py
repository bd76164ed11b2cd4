"""The pipeline: a readable list of stages around a handler. Knows their order; knows no stage.

A stage looks at a call and returns None (go on), a Reply (answer the client and stop), PAUSE (the
stage will call `Pipeline.resume` itself, for work that must not hold up the loop) or ANSWERED (the
stage has answered the client itself: there is nothing left to do). Stages are plain
functions, because nothing on the way of an ordinary call waits for anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from stockpot.gateway.call import Call, Reply

PAUSE: Final = "pause"
ANSWERED: Final = "answered"
Verdict = Reply | Literal["pause", "answered"] | None
Stage = Callable[[Call], Verdict]


class Pipeline:
    """Runs stages in order, then the handler; refusals go to `refuse`."""

    __slots__ = ("_handler", "_refuse", "_stages")

    def __init__(
        self,
        stages: tuple[Stage, ...],
        handler: Callable[[Call], None],
        refuse: Callable[[Call, Reply], None],
    ) -> None:
        self._stages = stages
        self._handler = handler
        self._refuse = refuse

    def run(self, call: Call) -> None:
        """Start a call, or go on with one that a stage had paused."""
        call.pipeline = self
        stages = self._stages
        while call.position < len(stages):
            stage = stages[call.position]
            call.position += 1
            verdict = stage(call)
            if verdict is None:
                continue
            if isinstance(verdict, Reply):
                self._refuse(call, verdict)
            return
        self._handler(call)

    def resume(self, call: Call, verdict: Reply | None = None) -> None:
        """Go on after PAUSE; with a Reply, refuse. A client that left meanwhile is let go."""
        if call.client_lost:
            self._refuse(call, Reply(499, "client_disconnect", "the client closed the connection"))
        elif verdict is not None:
            self._refuse(call, verdict)
        else:
            self.run(call)
