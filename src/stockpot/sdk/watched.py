"""Functions of every sort, each call in a span: plain, async, generators, async generators.

Knows how calls begin, go on and end; knows nothing of sending. A generator's span is current only
while the generator's own code runs, and ends with it, also when its consumer walks away.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import msgspec

from stockpot.sdk.options import Options
from stockpot.sdk.span import UNSAID, Kind

if TYPE_CHECKING:
    from stockpot.sdk.span import Span

F = TypeVar("F", bound=Callable[..., Any])
_MOST_ITEMS, _MOST_BYTES = 10_000, 4 * 1024 * 1024


class Facts(msgspec.Struct, frozen=True):
    """What is said of a span where it is observed."""

    name: str = ""
    kind: Kind = "span"
    session: str = ""
    user: str = ""
    tags: Iterable[str] = ()
    metadata: Mapping[str, Any] | None = None
    input: Any = UNSAID
    capture: bool | None = None
    parent: Any = None


class Desk(Protocol):
    """What is asked of the observer."""

    @property
    def options(self) -> Options: ...

    def watch(self, facts: Facts, name: str) -> Watch: ...

    def within(self, span: Span) -> AbstractContextManager[None]: ...

    def wrong(self, error: BaseException) -> None: ...


class Watch:
    """One call: what it was given, what it gave, how it ended. Never raises."""

    __slots__ = ("_desk", "_items", "_size", "span")

    def __init__(self, desk: Desk, span: Span) -> None:
        self._desk = desk
        self._items: list[Any] = []
        self._size = 0
        self.span = span

    def given(self, bind: Callable[..., Any], args: Any, kwargs: Any) -> None:
        if not self.span.recorded:
            return
        try:
            self.span.set(input=_named(bind, args, kwargs))
        except Exception as wrong:
            self._desk.wrong(wrong)

    def gave(self, value: Any) -> None:
        try:
            self.span.set(output=value)
        except Exception as wrong:
            self._desk.wrong(wrong)

    def item(self, value: Any) -> None:
        """A generator gives one more."""
        if len(self._items) < _MOST_ITEMS and self._size < _MOST_BYTES and self.span.recorded:
            self._size += _weight(value)
            self._items.append(value)

    def failed(self, error: BaseException) -> None:
        try:
            self.span.fail(error)
        except Exception as wrong:
            self._desk.wrong(wrong)

    def end(self, capture: bool = False) -> None:
        """It is over; `capture` keeps what a generator gave as its output."""
        if capture and self.span.recorded and not self.span.over:
            texts = all(isinstance(item, str) for item in self._items)
            self.gave("".join(self._items) if texts and self._items else self._items)
        self.span.end()


def _weight(value: Any) -> int:
    """About how many bytes are held as long as the value is."""
    try:
        held = getattr(value, "nbytes", 0)  # a view of an array holds what it shows
        return max(sys.getsizeof(value), held if isinstance(held, int) else 0)
    except Exception:  # a type that cannot tell its size
        return 1024


def _named(bind: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        found = dict(bind(*args, **kwargs).arguments)
    except TypeError:  # the function itself will say what is wrong
        return {"args": args, "kwargs": kwargs}
    first = next(iter(found), "")
    if first in ("self", "cls"):
        found.pop(first)
    return found


def observed(function: F, desk: Desk, facts: Facts) -> F:
    """The function, each call in a span."""
    if isinstance(function, type):
        raise TypeError(f"observe takes functions; observe the methods of {function.__name__}")
    if isinstance(function, staticmethod | classmethod):
        return cast("F", type(function)(observed(function.__func__, desk, facts)))
    name = getattr(function, "__qualname__", type(function).__name__).replace("<locals>.", "")
    try:
        bind: Callable[..., Any] = inspect.signature(function).bind
    except (TypeError, ValueError):  # some built-in functions tell no signature
        bind = inspect.Signature.bind
    begin = functools.partial(_begin, desk, facts, name.rpartition(".")[2], bind)
    if inspect.isasyncgenfunction(function):
        wrapper: Any = _async_generator(function, desk, begin)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, desk, begin)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, desk, begin)
    else:
        wrapper = _plain(function, desk, begin)
    return cast("F", functools.wraps(function)(wrapper))


Begin = Callable[[Any, Any], tuple[Watch, bool]]


def _begin(
    desk: Desk, facts: Facts, name: str, bind: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[Watch, bool]:
    """The watch of one call, and whether what it gives is kept."""
    watch = desk.watch(facts, name)
    capture = desk.options.capture if facts.capture is None else facts.capture
    if capture and facts.input is UNSAID:
        watch.given(bind, args, kwargs)
    return watch, capture


def _plain(function: Callable[..., Any], desk: Desk, begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        watch, capture = begin(args, kwargs)
        with desk.within(watch.span):
            try:
                value = function(*args, **kwargs)
            except BaseException as error:
                watch.failed(error)
                watch.end()
                raise
        if inspect.iscoroutine(value):  # a plain function in front of an async one
            return _awaited(value, desk, watch, capture)
        if inspect.isgenerator(value) or inspect.isasyncgen(value):  # handed on, not its own
            capture = False
        if capture:
            watch.gave(value)
        watch.end()
        return value

    return wrapper


def _coroutine(function: Callable[..., Any], desk: Desk, begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        watch, capture = begin(args, kwargs)
        return await _awaited(function(*args, **kwargs), desk, watch, capture)

    return wrapper


async def _awaited(work: Coroutine[Any, Any, Any], desk: Desk, watch: Watch, capture: bool) -> Any:
    with desk.within(watch.span):
        try:
            value = await work
        except BaseException as error:
            watch.failed(error)
            watch.end()
            raise
    if capture:
        watch.gave(value)
    watch.end()
    return value


class _Watched(Generator[Any, Any, Any]):
    """A generator, its span current while its code runs."""

    def __init__(
        self, inner: Generator[Any, Any, Any], desk: Desk, watch: Watch, capture: bool
    ) -> None:
        self._inner = inner
        self._desk = desk
        self._watch = watch
        self._capture = capture

    def send(self, value: Any) -> Any:
        return self._step(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._inner.throw, *error)

    def close(self) -> None:
        try:
            self._step(self._close)
        finally:
            self._watch.end(self._capture)

    def _close(self) -> None:
        self._inner.close()

    def _step(self, go: Callable[..., Any], *args: Any) -> Any:
        try:
            with self._desk.within(self._watch.span):
                item = go(*args)
        except StopIteration:
            self._watch.end(self._capture)
            raise
        except BaseException as error:
            if not isinstance(error, GeneratorExit):
                self._watch.failed(error)
            self._watch.end(self._capture)
            raise
        if go != self._close:
            self._watch.item(item)
        return item


def _generator(function: Callable[..., Any], desk: Desk, begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        watch, capture = begin(args, kwargs)
        return (yield from _Watched(function(*args, **kwargs), desk, watch, capture))

    return wrapper


def _async_generator(function: Callable[..., Any], desk: Desk, begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        watch, capture = begin(args, kwargs)
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        try:
            step = inner.asend(None)
            while True:
                try:
                    with desk.within(watch.span):
                        item = await step
                except StopAsyncIteration:
                    return
                watch.item(item)
                try:
                    sent = yield item
                except GeneratorExit:
                    with desk.within(watch.span):
                        await inner.aclose()
                    raise
                except BaseException as thrown:
                    step = inner.athrow(thrown)
                else:
                    step = inner.asend(sent)
        except GeneratorExit:
            raise
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            watch.end(capture)

    return wrapper
