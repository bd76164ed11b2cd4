"""Prompts in an application: kept in memory, watched in the background, never waited for twice.

The first `get` of a prompt asks the server; every later one is a look into a dictionary. Labels are
watched while they are in use, each by a thread that the server answers when the label moves. While
the server is away the last known version serves, also over a restart where a folder is given, and
before there is any, the fallback of the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from stockpot.sdk.http import Away, ask
from stockpot.sdk.options import Options, from_environment
from stockpot.templates import Message, Rendered, Version, render

_spread = random.Random()  # noqa: S311 - spreads retries; the application's seed stays its own

_log = logging.getLogger("stockpot.sdk")

Fallback = str | Sequence[Mapping[str, str]] | Version
Source = Literal["server", "disk", "fallback"]

_HOLD_S = 25.0
_MOST_WATCHED = 64
_UNUSED_S = 600.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 5.0


class PromptUnavailable(Exception):
    """There is no such prompt, or nobody to ask, and no fallback was given."""


class Prompt:
    """A version of a prompt, ready to be rendered. `source` says where it comes from."""

    __slots__ = ("label", "source", "version")

    def __init__(self, version: Version, label: str, source: Source) -> None:
        self.version = version
        self.label = label
        self.source: Source = source

    @property
    def name(self) -> str:
        return self.version.name

    @property
    def number(self) -> int:
        """Of the version; 0 is the fallback."""
        return self.version.number

    def render(self, variables: Mapping[str, object] | None = None, /, **more: object) -> Rendered:
        """Text or messages. Raises `stockpot.templates.TemplateFault`, which names what is wrong
        with the variables."""
        return render(self.version, {**(variables or {}), **more})

    def request(
        self, variables: Mapping[str, object] | None = None, /, **more: object
    ) -> dict[str, Any]:
        """Arguments for `chat.completions.create` of an OpenAI client: the messages, and what the
        version says of model, parameters, tools and the form of the answer."""
        made = self.render(variables, **more)
        messages = list(made.messages) or [{"role": "user", "content": made.text}]
        out: dict[str, Any] = {**made.params, "messages": messages}
        if made.model:
            out["model"] = made.model
        if made.tools:
            out["tools"] = list(made.tools)
        if made.response_schema is not None:
            form = {"name": "answer", "schema": made.response_schema, "strict": True}
            out["response_format"] = {"type": "json_schema", "json_schema": form}
        return out

    def attributes(self) -> dict[str, Any]:
        """What links a span to this version: `observe.current().set(prompt=prompt)`."""
        told = {"stockpot.prompt.name": self.name, "stockpot.prompt.version": str(self.number)}
        return {**told, "stockpot.prompt.label": self.label} if self.label else told

    def headers(self) -> dict[str, str]:
        """What tells the gateway that a call was rendered from this version; `observe.headers()`
        tells it too, in a span that is linked to it. A fallback is no version."""
        if not self.number:
            return {}
        label = f";label={quote(self.label, safe='')}" if self.label else ""
        return {"x-stockpot-prompt-used": f"{quote(self.name, safe='')}@{self.number}{label}"}

    def __repr__(self) -> str:
        return f"Prompt({self.name!r}, number={self.number}, source={self.source!r})"


class Wanted(NamedTuple):
    """What an application asked for."""

    name: str
    label: str
    number: int | None


class Entry:
    """What is known of a wanted prompt. `used` is set by every look at it."""

    __slots__ = ("prompt", "tag", "used", "watched")

    def __init__(self, prompt: Prompt, tag: str) -> None:
        self.prompt = prompt
        self.tag = tag
        self.used = True
        self.watched = False


class Prompts:
    """See the module's docstring. `folder` keeps what is known over restarts; `timeout_s` is the
    longest that a first `get` may take."""

    def __init__(
        self,
        url: str = "",
        key: str = "",
        *,
        project: str = "",
        folder: Path | str | None = None,
        timeout_s: float = 2.0,
        options: Options | None = None,
    ) -> None:
        told = options or from_environment()
        self._url = (url or told.url).rstrip("/")
        self._headers = {"authorization": f"Bearer {key or told.key}"}
        self._project = project or told.project
        kept = folder or os.environ.get("STOCKPOT_PROMPTS_FOLDER")
        self._folder = Path(kept) if kept else None
        self._timeout_s = timeout_s
        self._entries: dict[Wanted | tuple[str, str, int | None], Entry] = {}
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        self._old = dict(self._entries)
        self._entries.clear()
        self._lock = threading.Lock()
        self._asking: dict[Wanted, threading.Lock] = {}
        self._watchers = 0
        self._closed = threading.Event()

    def get(
        self,
        name: str,
        *,
        label: str = "production",
        version: int | None = None,
        fallback: Fallback | None = None,
    ) -> Prompt:
        """What a label means now, or a version by its number. A fallback is text, messages or a
        version; without one, raises PromptUnavailable where the prompt was never seen."""
        entry = self._entries.get((name, label, version))
        if entry is not None:
            entry.used = True
            if entry.prompt.source != "fallback" or fallback is None:
                return entry.prompt
            return Prompt(_version_of(name, fallback), "", "fallback")
        return self._first(Wanted(name, label, version), fallback)

    async def aget(self, name: str, **wanted: Any) -> Prompt:
        """The same for asyncio: where the server must be asked, in a thread."""
        if (name, wanted.get("label", "production"), wanted.get("version")) in self._entries:
            return self.get(name, **wanted)
        return await asyncio.to_thread(self.get, name, **wanted)

    def close(self) -> None:
        """Stop watching; what is known stays."""
        self._closed.set()

    # --- the first time ---------------------------------------------------------------------------

    def _first(self, wanted: Wanted, fallback: Fallback | None) -> Prompt:
        with self._lock:
            asking = self._asking.setdefault(wanted, threading.Lock())
        with asking:  # who comes second waits for the first one's answer instead of asking too
            entry = self._entries.get(wanted)
            if entry is None:
                entry = self._found(wanted, fallback)
                with self._lock:
                    self._entries[wanted] = entry
                    self._asking.pop(wanted, None)
        self._watch(wanted, entry)
        return entry.prompt

    def _found(self, wanted: Wanted, fallback: Fallback | None) -> Entry:
        why = ""
        try:
            entry = self._ask(wanted, "", 0.0)
            if entry is not None:
                return entry
        except (Away, Refused) as wrong:
            why = str(wrong)
        known = self._old.get(wanted) or self._read(wanted)
        if known is not None:
            known.watched = False
            return known
        if fallback is None:
            raise PromptUnavailable(f"no prompt {wanted.name!r} ({_ref(wanted)}): {why}")
        _log.warning("prompt %r: the fallback serves (%s)", wanted.name, why)
        return Entry(Prompt(_version_of(wanted.name, fallback), "", "fallback"), "")

    def _ask(self, wanted: Wanted, tag: str, hold_s: float) -> Entry | None:
        """What the server says; None when it is still what bears the tag."""
        query: dict[str, Any] = {"project": self._project} if self._project else {}
        query |= {"label": wanted.label} if wanted.number is None else {"version": wanted.number}
        if hold_s:
            query["wait_s"] = hold_s
        url = f"{self._url}/api/v1/prompts/{quote(wanted.name, safe='')}/resolved"
        headers = {**self._headers, **({"if-none-match": tag} if tag else {})}
        answer = ask(f"{url}?{urlencode(query)}", headers, None, self._timeout_s + hold_s)
        if answer.status == 304:
            return None
        if answer.status != 200:
            raise Refused(answer.status, answer.body)
        entry = _entry(answer.body, "server", answer.headers.get("etag", ""))
        self._keep(wanted, answer.body)
        return entry

    # --- watching ---------------------------------------------------------------------------------

    def _watch(self, wanted: Wanted, entry: Entry) -> None:
        settled = wanted.number is not None and entry.prompt.source == "server"
        with self._lock:
            if entry.watched or settled or self._watchers >= _MOST_WATCHED:
                return
            entry.watched = True
            self._watchers += 1
        thread = threading.Thread(target=self._follow, args=(wanted, entry), daemon=True,
                                  name=f"stockpot-prompt-{wanted.name}")  # fmt: skip
        with contextlib.suppress(RuntimeError):  # the interpreter ends
            thread.start()

    def _follow(self, wanted: Wanted, entry: Entry) -> None:
        """Bring every new version, until nobody uses the prompt any more."""
        closed, wait, seen_used = self._closed, 0.0, time.monotonic()
        while not closed.wait(wait):
            if entry.used:
                entry.used, seen_used = False, time.monotonic()
            elif time.monotonic() - seen_used > _UNUSED_S:
                break
            began = time.monotonic()
            try:
                fresh = self._ask(wanted, entry.tag, _HOLD_S if entry.tag else 0.0)
            except (Away, Refused) as wrong:
                _log.debug("prompt %r is not watched for now: %s", wanted.name, wrong)
                wait = min(max(wait * 2, _FIRST_WAIT_S), _LONGEST_WAIT_S)
                wait *= _spread.uniform(0.5, 1.0)
                continue
            if fresh is not None:
                entry.prompt, entry.tag = fresh.prompt, fresh.tag
                if wanted.number is not None:
                    break  # a version never changes
            # A server that does not hold the request is not asked more than four times a second.
            wait = max(0.0, 0.25 - (time.monotonic() - began)) if fresh is None else 0.0
        self._forget(wanted, entry)

    def _forget(self, wanted: Wanted, entry: Entry) -> None:
        with self._lock:
            self._watchers -= 1
            if not self._closed.is_set() and wanted.number is None:
                self._entries.pop(wanted, None)
                self._old[wanted] = entry

    # --- over restarts ----------------------------------------------------------------------------

    def _path(self, wanted: Wanted) -> Path | None:
        if self._folder is None:
            return None
        about = "\0".join((self._url, self._project, wanted.name, _ref(wanted)))
        return self._folder / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.json"

    def _keep(self, wanted: Wanted, body: bytes) -> None:
        path = self._path(wanted)
        if path is None:
            return
        draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(body)
            draft.replace(path)
        except OSError as wrong:
            _log.warning("prompts are not kept in %s: %s", path.parent, wrong)

    def _read(self, wanted: Wanted) -> Entry | None:
        path = self._path(wanted)
        try:
            return None if path is None else _entry(path.read_bytes(), "disk", "")
        except (OSError, Refused):
            return None


class Refused(Exception):
    """The server does not give the prompt."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}: {body[:300].decode('utf-8', 'replace')}")


class _Labelled(msgspec.Struct):
    label: str = ""


def _entry(body: bytes, source: Source, tag: str) -> Entry:
    try:
        version = msgspec.json.decode(body, type=Version)
        label = msgspec.json.decode(body, type=_Labelled).label
    except msgspec.MsgspecError as bad:
        raise Refused(200, f"not a prompt: {bad}".encode()) from None
    return Entry(Prompt(version, label, source), tag)


def _version_of(name: str, fallback: Fallback) -> Version:
    if isinstance(fallback, Version):
        return fallback
    # By this its compiled form is found again.
    known = f"fallback:{hashlib.sha256(repr(fallback).encode()).hexdigest()}"
    if isinstance(fallback, str):
        return Version(name, 0, "text", body=fallback, content_hash=known)
    told: Iterable[Mapping[str, str]] = fallback
    messages = tuple(Message(one.get("role", "user"), one.get("content", "")) for one in told)
    return Version(name, 0, "chat", messages=messages, content_hash=known)


def _ref(wanted: Wanted) -> str:
    return f"label {wanted.label}" if wanted.number is None else f"version {wanted.number}"


_clients: weakref.WeakSet[Prompts] = weakref.WeakSet()


def _after_fork() -> None:
    """Threads do not come along: what is known is old until it is asked for again."""
    for client in list(_clients):
        client._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
