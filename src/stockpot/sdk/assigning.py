"""Experiments in an application: which arm a unit is in, without asking anybody for it.

    from stockpot.sdk import experiments

    found = experiments.assign("tone", unit=user.id)
    prompt = prompts.get("menu", version=found.version)

The experiments of a project are fetched once, kept and refreshed in the background; a unit is
placed here, in the same arm as in the gateway. While the server is away what was known last
decides, also over a restart where a folder is given; where nothing is known nobody takes part.
Whatever happens, the application gets an answer: the control, or what it names itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import msgspec

from stockpot.assign import Document, Splitter
from stockpot.sdk.http import Away, ask
from stockpot.sdk.options import Options, from_environment
from stockpot.sdk.span import Kind, Span, exposure_headers

_log = logging.getLogger("stockpot.sdk")
_decode = msgspec.json.Decoder(Document).decode
_FIRST_WAIT_S = 1.0


class Assignment(NamedTuple):
    """Where a unit is: the arm's name and what it is to be given (`NAME@7` of a prompt, a model
    name; '' where nothing is known). `unit` is its name in records, '' for one that does not take
    part: it sees the control and is counted nowhere."""

    experiment: str
    arm: str
    target: str
    unit: str = ""

    @property
    def exposed(self) -> bool:
        """Whether the unit takes part."""
        return bool(self.unit)

    @property
    def version(self) -> int | None:
        """The version of a prompt that the target names by its number."""
        number = self.target.rpartition("@")[2]
        return int(number) if number.isascii() and number.isdigit() else None

    def headers(self) -> dict[str, str]:
        """What tells the gateway that a call is made in this arm; `observe.headers()` tells it too,
        in a span that was told of it."""
        return exposure_headers([(self.experiment, self.arm, self.unit)] if self.unit else [])


class Watcher(Protocol):
    """Whoever keeps spans: the observer."""

    def current(self) -> Span: ...

    def __call__(self, name: str = "", /, *, kind: Kind = "span") -> Any: ...


class _Known(NamedTuple):
    splitters: dict[str, Splitter]
    tag: str


_NOTHING = _Known({}, "")


class Experiments:
    """See the module's docstring. What is known is asked for anew after `fresh_s`, beside the call
    that finds it old; `timeout_s` is the longest that the very first `assign` may take."""

    def __init__(
        self,
        url: str = "",
        key: str = "",
        *,
        project: str = "",
        folder: Path | str | None = None,
        timeout_s: float = 2.0,
        fresh_s: float = 30.0,
        observer: Watcher | None = None,
        options: Options | None = None,
    ) -> None:
        told = options or from_environment()
        self._url = (url or told.url).rstrip("/")
        self._headers = {"authorization": f"Bearer {key or told.key}"}
        self._project = project or told.project
        kept = folder or os.environ.get("STOCKPOT_EXPERIMENTS_FOLDER")
        self._folder = Path(kept) if kept else None
        self._timeout_s, self._fresh_s = timeout_s, fresh_s
        self._observer = observer
        self._known: _Known | None = None
        self._next = 0.0
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._asking = False

    def assign(
        self, experiment: str, unit: str, *, default: str = "", record: bool = True
    ) -> Assignment:
        """The arm of a unit; `default` is the arm of those of whom nothing is known. Notes the
        exposure at the span that runs now and at those below it (or at one of its own), unless
        `record` is off. Never raises, and waits for nobody but the very first time."""
        found = Assignment(experiment, default, "")
        try:
            found = self._placed(experiment, str(unit), default)
            if record and found.unit:
                self._note(found)
        except Exception as wrong:
            _log.warning("assigning failed, the application goes on: %r", wrong)
        return found

    async def aassign(self, experiment: str, unit: str, **more: Any) -> Assignment:
        """The same for asyncio: where the server must be asked, in a thread."""
        if self._known is None:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self._current)
        return self.assign(experiment, unit, **more)

    def _placed(self, experiment: str, unit: str, default: str) -> Assignment:
        splitter = self._current().splitters.get(experiment)
        if splitter is None:
            return Assignment(experiment, default, "")
        starts_ms = splitter.experiment.starts_ms
        begun = not starts_ms or time.time() * 1000 >= starts_ms
        drawn = splitter.draw(unit) if unit and begun else None
        if drawn is None:
            return Assignment(experiment, default or splitter.control.name, splitter.control.target)
        return Assignment(experiment, drawn.arm.name, drawn.arm.target, drawn.unit)

    def _note(self, found: Assignment) -> None:
        observe = self._observer
        if observe is None:
            return
        exposure = (found.experiment, found.arm, found.unit)
        span = observe.current()
        if span.running:
            span.expose(exposure)
        else:
            with observe(f"experiment {found.experiment}") as alone:
                alone.expose(exposure)

    # --- what is known --------------------------------------------------------------------------

    def _current(self) -> _Known:
        known = self._known
        if known is None:
            with self._lock:  # who comes second waits for the first one's answer
                if self._known is None:
                    self._refresh(self._read())
                return self._known or _NOTHING
        if time.monotonic() >= self._next:
            self._refresh_beside()
        return known

    def _refresh_beside(self) -> None:
        with self._lock:
            if self._asking:
                return
            self._asking = True

        def run() -> None:
            try:
                self._refresh(self._known or _NOTHING)
            finally:
                self._asking = False

        thread = threading.Thread(target=run, daemon=True, name="stockpot-experiments")
        with contextlib.suppress(RuntimeError):  # the interpreter ends
            thread.start()

    def _refresh(self, known: _Known) -> None:
        """What the server says, or what was known; when to ask again."""
        wait = self._fresh_s
        try:
            known = self._ask(known)
        except (Away, _Refused) as wrong:
            _log.debug("experiments are not refreshed for now: %s", wrong)
            wait = min(wait, _FIRST_WAIT_S) if known is _NOTHING else wait
        self._known = known
        self._next = time.monotonic() + wait

    def _ask(self, known: _Known) -> _Known:
        query = f"?{urlencode({'project': self._project})}" if self._project else ""
        headers = {**self._headers, **({"if-none-match": known.tag} if known.tag else {})}
        url = f"{self._url}/api/v1/experiments/document{query}"
        answer = ask(url, headers, None, self._timeout_s)
        if answer.status == 304:
            return known
        if answer.status != 200:
            raise _Refused(
                f"status {answer.status}: {answer.body[:300].decode('utf-8', 'replace')}"
            )
        fresh = _read(answer.body, answer.headers.get("etag", ""))
        self._keep(answer.body)
        return fresh

    # --- over restarts ----------------------------------------------------------------------------

    def _path(self) -> Path | None:
        if self._folder is None:
            return None
        about = f"experiments\0{self._url}\0{self._project}"
        return self._folder / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.json"

    def _keep(self, body: bytes) -> None:
        path = self._path()
        if path is None:
            return
        draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(body)
            draft.replace(path)
        except OSError as wrong:
            _log.warning("experiments are not kept in %s: %s", path.parent, wrong)

    def _read(self) -> _Known:
        path = self._path()
        try:
            return _NOTHING if path is None else _read(path.read_bytes(), "")
        except (OSError, _Refused):
            return _NOTHING


class _Refused(Exception):
    """The server does not give experiments."""


def _read(body: bytes, tag: str) -> _Known:
    try:
        document = _decode(body)
    except msgspec.MsgspecError as bad:
        raise _Refused(f"not a document of experiments: {bad}") from None
    found = {}
    for one in document.experiments:
        try:
            found[one.name] = Splitter(one)
        except ValueError as wrong:  # the others are as good as they were
            _log.warning("the experiment %r is not run: %s", one.name, wrong)
    return _Known(found, tag)


_clients: weakref.WeakSet[Experiments] = weakref.WeakSet()


def _after_fork() -> None:
    """Threads and locks that they hold do not come along."""
    for client in list(_clients):
        client._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
