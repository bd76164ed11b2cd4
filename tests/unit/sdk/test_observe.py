"""Functions of every sort and blocks of code become spans of one trace."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from stockpot.sdk import Observer
from tests.unit.sdk.conftest import Collector


def test_calls_inside_calls_are_one_trace_with_what_went_in_and_out(
    observe: Observer, server: Collector
) -> None:
    @observe(kind="tool")
    def price(dish: str, *, tax: float = 0.1) -> dict[str, float]:
        return {dish: 9 * (1 + tax)}

    @observe
    def answer(question: str) -> str:
        return f"{question}: {price('ramen', tax=0.5)['ramen']}"

    assert answer("how much") == "how much: 13.5"
    spans = server.spans(2)
    top, below = spans["answer"], spans["price"]
    assert "parentSpanId" not in top
    assert (below["traceId"], below["parentSpanId"]) == (top["traceId"], top["spanId"])
    assert below["attributes"]["stockpot.kind"] == "tool"
    assert below["attributes"]["gen_ai.tool.name"] == "price"
    assert json.loads(below["attributes"]["stockpot.input"]) == {"dish": "ramen", "tax": 0.5}
    assert json.loads(below["attributes"]["stockpot.output"]) == {"ramen": 13.5}
    assert top["attributes"]["stockpot.output"] == "how much: 13.5"
    assert int(top["startTimeUnixNano"]) <= int(below["startTimeUnixNano"])
    assert int(below["endTimeUnixNano"]) <= int(top["endTimeUnixNano"])
    resource = server.bodies[0][1]["resourceSpans"][0]["resource"]["attributes"]
    assert {"key": "service.name", "value": {"stringValue": "kitchen"}} in resource
    assert server.heads[0]["authorization"] == "Bearer sk-sp-test"


def test_what_a_block_says_of_itself_holds_below_it_too(
    observe: Observer, server: Collector
) -> None:
    with observe("order", kind="workflow", session="table 7", user="ann", tags=["lunch"]) as span:
        span.set(input={"dish": "ramen"}, output="done", metadata={"seats": 2})
        with observe("cook", kind="llm"):
            observe.current().set(model="gpt-x", usage={"input_tokens": 3, "output_tokens": 4})
            told = observe.headers()
            assert observe.trace_id() == span.trace_id
    order, cook = server.spans(2)["order"], server.spans()["cook"]
    for one in (order, cook):
        assert one["attributes"]["session.id"] == "table 7"
        assert one["attributes"]["user.id"] == "ann"
        assert one["attributes"]["stockpot.tags"] == ["lunch"]
    assert order["attributes"]["stockpot.metadata.seats"] == "2"
    assert cook["attributes"]["gen_ai.usage.output_tokens"] == 4
    assert told == {
        "traceparent": f"00-{cook['traceId']}-{cook['spanId']}-01",
        "baggage": "session.id=table%207,user.id=ann",
    }
    assert observe.headers() == {}


def test_a_service_that_is_called_goes_on_with_its_callers_trace(
    observe: Observer, server: Collector
) -> None:
    with observe("front", session="s 1"):
        headers = {name.title(): value for name, value in observe.headers().items()}
    with observe("back", parent=headers):
        pass
    with observe.below(headers):
        assert observe.headers()["traceparent"] == headers["Traceparent"]
        with observe("given out"):
            pass
    with observe.below({"traceparent": "00-nonsense"}), observe("stray"):
        assert observe.trace_id()
    assert observe.headers() == {}
    spans = server.spans(4)
    assert spans["given out"]["parentSpanId"] == spans["front"]["spanId"]
    assert spans["given out"]["attributes"]["session.id"] == "s 1"
    assert spans["back"]["parentSpanId"] == spans["front"]["spanId"]
    assert spans["back"]["traceId"] == spans["front"]["traceId"]
    assert spans["back"]["attributes"]["session.id"] == "s 1"
    assert "parentSpanId" not in spans["stray"]
    assert [spans[name]["flags"] for name in ("front", "back")] == [0x101, 0x301]


def test_an_exception_is_told_and_goes_on(observe: Observer, server: Collector) -> None:
    @observe
    def burn() -> None:
        raise KeyError("pan")

    with pytest.raises(KeyError, match="pan"):
        burn()
    with pytest.raises(TypeError):
        burn("too much")  # type: ignore[call-arg]
    first, second = server.all(2)
    assert first["status"] == {"code": 2, "message": "'pan'"}
    assert first["attributes"]["error.type"] == "KeyError"
    (event,) = first["events"]
    assert "burn" in json.dumps(event["attributes"])
    assert second["attributes"]["error.type"] == "TypeError"


async def test_tasks_of_asyncio_do_not_mix_their_spans(
    observe: Observer, server: Collector
) -> None:
    @observe
    async def step(number: int) -> int:
        await asyncio.sleep(0.001 * (3 - number))
        return number

    @observe
    async def course(number: int) -> int:
        await asyncio.sleep(0)
        return await step(number)

    assert await asyncio.gather(*(course(n) for n in range(3))) == [0, 1, 2]
    async with observe("after"):
        pass
    spans = server.all(7)
    above = {span["spanId"]: span for span in spans}
    for span in spans:
        if span["name"] == "step":
            parent = above[span["parentSpanId"]]
            assert parent["attributes"]["stockpot.output"] == span["attributes"]["stockpot.output"]
    assert len({span["traceId"] for span in spans}) == 4


def test_a_generators_span_lasts_as_long_as_it_is_read(
    observe: Observer, server: Collector
) -> None:
    inside: list[str] = []

    @observe
    def words() -> Iterator[str]:
        inside.append(observe.trace_id())
        yield "a"
        inside.append(observe.trace_id())
        yield "b"

    with observe("outer") as outer:
        reading = words()
        assert next(reading) == "a"
        with observe("between"):  # the consumer's code is not inside the generator
            pass
        assert list(reading) == ["b"]
    assert inside == [outer.trace_id] * 2
    spans = server.spans(3)
    assert spans["words"]["attributes"]["stockpot.output"] == "ab"
    assert spans["between"]["parentSpanId"] == outer.span_id
    assert spans["words"]["parentSpanId"] == outer.span_id


def test_a_generator_that_nobody_finishes_ends_with_what_it_gave(
    observe: Observer, server: Collector
) -> None:
    closed: list[bool] = []

    @observe
    def numbers() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    for number in numbers():
        assert number == 1
        break
    assert closed == [True]
    (span,) = server.all(1)
    assert json.loads(span["attributes"]["stockpot.output"]) == [1]
    assert "status" not in span


def test_a_generator_still_takes_what_is_sent_and_thrown(
    observe: Observer, server: Collector
) -> None:
    @observe
    def echo() -> Any:
        said = yield "ready"
        try:
            yield said
        except ValueError:
            yield "caught"
        return "result"

    def whole() -> Any:
        return (yield from echo())

    talk = whole()
    assert next(talk) == "ready"
    assert talk.send("hi") == "hi"
    assert talk.throw(ValueError) == "caught"
    with pytest.raises(StopIteration) as end:
        next(talk)
    assert end.value.value == "result"
    assert server.all(1)[0]["attributes"]["stockpot.output"] == "readyhicaught"


async def test_async_generators_are_observed_to_their_end(
    observe: Observer, server: Collector
) -> None:
    closed: list[str] = []

    @observe
    async def stream(fail: bool) -> AsyncIterator[str]:
        try:
            yield "a"
            closed.append(observe.trace_id())
            if fail:
                raise RuntimeError("spilt")
            yield "b"
        finally:
            closed.append("end")

    assert [word async for word in stream(False)] == ["a", "b"]
    with pytest.raises(RuntimeError, match="spilt"):
        [word async for word in stream(True)]
    leaving: Any = stream(False)
    assert await anext(leaving) == "a"
    await leaving.aclose()
    good, bad, left = server.all(3)
    assert [one["attributes"]["stockpot.output"] for one in (good, bad, left)] == ["ab", "a", "a"]
    assert bad["attributes"]["error.type"] == "RuntimeError"
    assert "status" not in left
    assert closed == [good["traceId"], "end", bad["traceId"], "end", "end"]
    assert observe.trace_id() == ""


def test_threads_join_the_trace_where_they_are_told_to(
    observe: Observer, server: Collector
) -> None:
    @observe
    def chop(what: str) -> int:
        return threading.get_ident()

    with observe("prepare") as span, ThreadPoolExecutor(4) as pool:
        list(pool.map(observe.propagate(chop), "abcdef"))
        pool.submit(chop, "alone").result()
    spans = server.all(8)
    assert sum(one.get("parentSpanId") == span.span_id for one in spans) == 6


def test_methods_keep_their_nature(observe: Observer, server: Collector) -> None:
    class Cook:
        @observe
        def fry(self, dish: str) -> str:
            """Fries."""
            return dish

        @observe
        @staticmethod
        def wash() -> int:
            return 1

        @classmethod
        @observe
        def named(cls) -> str:
            return cls.__name__

    assert (Cook().fry("egg"), Cook.wash(), Cook.named()) == ("egg", 1, "Cook")
    assert (Cook.fry.__doc__, Cook.fry.__name__) == ("Fries.", "fry")
    assert json.loads(server.spans(3)["fry"]["attributes"]["stockpot.input"]) == {"dish": "egg"}


def test_what_is_masked_never_leaves(observe: Observer, server: Collector) -> None:
    def hide(value: Any) -> Any:
        if value == "break":
            raise ValueError
        return json.loads(json.dumps(value).replace("secret", "***"))

    observe.configure(mask=hide)

    @observe
    def tell(word: str) -> str:
        observe.current().set(metadata={"note": "secret"})
        raise RuntimeError(f"a {word} got out")

    with pytest.raises(RuntimeError):
        tell("secret")
    with observe("quiet", input="break") as span:
        span.set(output="break")
    server.all(2)
    sent = json.dumps([body for _, body in server.bodies])
    assert "secret" not in sent
    assert "a *** got out" in sent
    assert "(not kept: the mask failed)" in server.spans()["quiet"]["attributes"].values()


def test_values_of_every_kind_are_shown_and_large_ones_cut(
    observe: Observer, server: Collector
) -> None:
    observe.configure(most_chars=100)
    circle: list[Any] = []
    circle.append(circle)

    class Angry:
        def __repr__(self) -> str:
            raise RuntimeError

    @observe
    def take(value: Any) -> Any:
        return value

    for value in (circle, Angry(), {1: {2, 3}}, b"\xff", float("nan"), object, "x" * 500):
        assert take(value) is value
    cut = server.all(7)[-1]["attributes"]["stockpot.output"]
    assert cut == "x" * 100 + " ... (500 characters)"


def test_what_an_application_says_wrongly_breaks_neither_it_nor_its_other_spans(
    observe: Observer, server: Collector
) -> None:
    with observe("odd \udc80", user=cast("str", 42), tags="vip") as span:
        span.set(input="half \ud800", usage=cast("Any", {"input_tokens": None, "output_tokens": 4}))
        span.set(usage=cast("Any", 5), tags=cast("Any", None))
        span.score("taste", cast("Any", "high"))
        with observe("below", parent=cast("Any", {"traceparent": None})):
            assert observe.headers()["baggage"] == "user.id=42"
    found = server.spans(2)
    assert found["odd ?"]["attributes"]["stockpot.input"] == "half ?"
    assert found["odd ?"]["attributes"]["stockpot.tags"] == ["vip"]
    assert found["odd ?"]["attributes"]["gen_ai.usage.output_tokens"] == 4
    assert "gen_ai.usage.input_tokens" not in found["odd ?"]["attributes"]


def test_what_streams_is_left_to_the_application_and_nothing_endless_is_read(
    observe: Observer, server: Collector
) -> None:
    class Stream:
        left = 3

        def __iter__(self) -> Iterator[int]:
            while self.left:
                self.left -= 1
                yield self.left

    take = observe("take")(lambda given: given)
    for value in (Stream(), range(10**12), MagicMock()):
        assert take(value) is value
    found = {span["attributes"]["stockpot.output"] for span in server.all(3)}
    assert [text for text in found if text.startswith("[0,1,2") and text.endswith(",999]")]
    assert list(take(Stream())) == [2, 1, 0]


def test_a_generator_of_large_things_holds_only_the_first_of_them(observe: Observer) -> None:
    class Large(bytearray):
        alive = 0

        def __new__(cls, *args: Any) -> Large:
            cls.alive += 1
            return super().__new__(cls, *args)

        def __del__(self) -> None:
            type(self).alive -= 1

    @observe
    def pages() -> Iterator[Large]:
        for _ in range(12):
            yield Large(1024 * 1024)

    assert max(Large.alive for _ in pages()) < 8


async def test_tasks_may_share_one_observation(observe: Observer, server: Collector) -> None:
    step = observe("step")

    async def take(number: int) -> None:
        with step as span:
            for _ in range(4 - number):  # the first to begin is the last to end
                await asyncio.sleep(0)
            span.set(output=str(number))

    await asyncio.gather(*(take(number) for number in range(4)))
    spans = await asyncio.to_thread(server.all, 4)
    assert {span["attributes"].get("stockpot.output") for span in spans} == set("0123")
    assert observe.trace_id() == ""


async def test_a_plain_function_in_front_of_an_async_one_is_observed_to_its_end(
    observe: Observer, server: Collector
) -> None:
    async def inner() -> str:
        await asyncio.sleep(0)
        return observe.trace_id()

    @observe
    def outer() -> Any:
        return inner()

    trace = await outer()
    (span,) = server.all(1)
    assert span["traceId"] == span["attributes"]["stockpot.output"] == trace
    with pytest.raises(TypeError, match="methods of Cook"):

        @observe
        class Cook:
            pass


def test_what_shall_not_be_kept_is_not(observe: Observer, server: Collector) -> None:
    @observe(capture=False)
    def whisper(word: str) -> str:
        return word

    whisper("secret")
    assert "secret" not in json.dumps(server.all(1))


def test_scores_by_code_and_feedback_follow_the_spans(observe: Observer, server: Collector) -> None:
    from stockpot.sdk import Feedback

    feedback = Feedback(observe)
    with observe("answer") as span:
        observe.score("grounded", 0.5, comment="half")
        feedback(thumb="up", user="ann")
    feedback(trace_id=span.trace_id, score=True, name="solved", correction="better")
    assert observe.flush()
    first, thumb, solved = server.feedback()
    assert (first["span_id"], first["value"]) == (span.span_id, 0.5)
    assert (thumb["trace_id"], thumb["thumb"]) == (span.trace_id, "up")
    assert (solved["name"], solved["value"], solved["correction"]) == ("solved", 1.0, "better")
    assert len({item["id"] for item in (first, thumb, solved)}) == 3
    assert observe.counts() == {"waiting": 0, "sent": 4, "dropped": 0, "refused": 0}


def test_without_a_key_nothing_is_sent_and_headers_still_join(server: Collector) -> None:
    observe = Observer()
    observe.configure(url=server.url, key="")

    @observe
    def call() -> dict[str, str]:
        return observe.headers()

    assert call()["traceparent"].startswith("00-")
    assert observe.flush()
    assert observe.counts()["sent"] == 0
    assert server.bodies == []


def test_the_front_door_loads_nothing_of_the_server() -> None:
    code = """
import sys
from stockpot import observe

@observe
def f(): return 1
f()
heavy = {"fastapi", "pydantic", "sqlalchemy", "httpx", "numpy", "click", "rich", "jinja2",
         "http.client", "asyncio", "uvloop", "stockpot.core.db", "stockpot.gateway"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_clients_of_this_process_are_the_same_however_they_are_asked_for() -> None:
    code = """
from stockpot.sdk import Feedback, PromptUnavailable, Prompts, feedback, observe, prompts
import stockpot, stockpot.sdk
assert isinstance(prompts, Prompts) and isinstance(feedback, Feedback)
assert stockpot.observe is observe is stockpot.sdk.observe
assert stockpot.sdk.prompts is prompts
"""
    subprocess.run([sys.executable, "-c", code], check=True)
