"""Rails that take long, in a process of their own, so that no call of anybody waits for them.

One child to a worker, started when it is first needed. It works at one text at a time; tenants take
turns. A text that takes longer than it may costs the child its life: it is ended and started again,
and what that means for the call is its rule's to say. Knows pipes and time; knows no rail.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import sys
from collections import OrderedDict, deque
from contextlib import suppress
from typing import NamedTuple

import msgspec

from stockpot.rails import Ran

_log = logging.getLogger("stockpot.gateway.guard")
START_S = 60.0
"""How long the child may take to start and to load what the policies need: seconds for Presidio."""

PATIENCE_S = 5.0
"""How long a text waits for its turn."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Ran]).decode
_LENGTH = struct.Struct("<IB")
Question = tuple[str, str, str, str]
"""Policy, rule ('' is all that run in a worker), place and text."""


class RailsAway(Exception):
    """The process did not answer: it was ended, too slow, or could not be started."""


class Job(NamedTuple):
    """`question` None asks nothing: the child is to be ready."""

    data: bytes
    question: Question | None
    limit_s: float
    answer: asyncio.Future[list[Ran]]


class RailProcess:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self._working: asyncio.Task[None] | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._loaded = b""

    @property
    def pid(self) -> int:
        """Of the child; 0 without one."""
        return self._child.pid if self._child is not None else 0

    async def warm(self, data: bytes) -> None:
        """Start the child and let it load what these policies need, before there is a text."""
        with suppress(RailsAway):  # the text that comes will say so
            await self.run("", data, None, 0.0)

    async def run(
        self, tenant: str, data: bytes, question: Question | None, limit_s: float
    ) -> list[Ran]:
        """What the rails say of a text. `data` is the snapshot's part. Raises RailsAway."""
        job = Job(data, question, limit_s, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(tenant, deque()).append(job)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(PATIENCE_S + limit_s + START_S):
                return await job.answer
        except TimeoutError:
            raise RailsAway("the rail process had no time") from None

    async def _work(self) -> None:
        while self._waiting:
            tenant, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[tenant] = jobs  # behind all others
            if job.answer.done():
                continue
            try:
                said = await self._ask(job)
            except RailsAway as away:
                self._end()
                _log.warning("%s", away)
                if not job.answer.done():
                    job.answer.set_exception(away)
            else:
                if not job.answer.done():
                    job.answer.set_result(said)

    async def _ask(self, job: Job) -> list[Ran]:
        await self._ready(job.data)
        if job.question is None:
            return []
        try:
            async with asyncio.timeout(job.limit_s):
                return _decode(await self._exchange(1, _encode(job.question)))
        except TimeoutError:
            raise RailsAway(
                f"a rail took longer than {job.limit_s * 1000:.0f} ms of one text; its process was "
                "started again"
            ) from None
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError):
            raise RailsAway("the rail process ended") from None

    async def _ready(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(START_S):
                if self._child is None or self._child.returncode is not None:
                    self._child = await asyncio.create_subprocess_exec(
                        sys.executable, "-m", "stockpot.gateway.guard.child",
                        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                        env={**os.environ, "PYTHONUNBUFFERED": "1"},
                    )  # fmt: skip
                    self._loaded = b""
                if self._loaded != data:
                    await self._exchange(0, data)
                    self._loaded = data
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            raise RailsAway("the rail process did not start") from None

    async def _exchange(self, kind: int, data: bytes) -> bytes:
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(_LENGTH.pack(len(data), kind) + data)
        await child.stdin.drain()
        length, _ = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))
        return await child.stdout.readexactly(length)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()

    async def close(self) -> None:
        """End the child."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        child = self._child
        self._end()
        if child is not None:
            await child.wait()
