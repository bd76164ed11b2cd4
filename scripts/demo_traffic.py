"""A day of made-up restaurant traffic for pictures: an upstream that answers from a list, and
records of the last 24 hours that go into the span log the way a host's shipper sends them.

Knows the shipment protocol and the OpenAI dialect; is no part of the product.
"""

from __future__ import annotations

import json
import math
import os
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import httpx
import msgspec

from stockpot.core.instance import Instance
from stockpot.gateway import Record, Shipment, Shipped

SYSTEM = "You help guests and staff of a food delivery service. Answer in one or two sentences."
TALK = {
    "Summarise our refund policy for an order that arrived 50 minutes late": (
        "Orders that arrive more than 45 minutes late qualify for a full refund of the delivery fee"
        " and a 20 % credit on the next order. The credit is added within one day."
    ),
    "Describe this dish for the menu: mom's lasagna, 5 layers, bolognese, mozzarella": (
        "Five generous layers of house-made pasta and slow-simmered bolognese, finished under a"
        " blanket of golden mozzarella."
    ),
    "Which of these reviews mention a late delivery? Answer with their numbers": (
        "Reviews 2, 5 and 9 mention a late delivery; review 5 also mentions cold food."
    ),
    "Translate to German: your order has left the kitchen and is on its way": (
        "Ihre Bestellung hat die Küche verlassen und ist auf dem Weg zu Ihnen."
    ),
    "Suggest three toppings for a macaroni and cheese bar": (
        "Crispy pancetta, roasted jalapeños and caramelised onions: one salty, one hot, one sweet."
    ),
    "Extract dish, size and extras from: two large margheritas, one with olives": (
        '{"items": [{"dish": "margherita", "size": "large", "extras": []},'
        ' {"dish": "margherita", "size": "large", "extras": ["olives"]}]}'
    ),
}
FALLBACK = "Gladly. The kitchen is open until eleven, and everything on the menu can be delivered."


class Upstream(NamedTuple):
    url: str
    server: ThreadingHTTPServer


def upstream(models: tuple[str, ...], pace_s: float = 0.028) -> Upstream:
    """An OpenAI-compatible server on a free loopback port; answers come word by word."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._send({"object": "list", "data": [{"id": m, "object": "model"} for m in models]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text = _answer(asked["messages"])
            usage = _usage(asked["messages"], text)
            head = {"id": f"chatcmpl-{random.getrandbits(40):x}", "model": asked["model"]}
            time.sleep(0.18)
            if asked.get("stream"):
                self._stream(head, text, usage)
                return
            time.sleep(pace_s * len(text.split()))
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._send({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

        def _send(self, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, head: dict[str, Any], text: str, usage: dict[str, int]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for event in _events(head, text, usage):
                data = f"data: {event}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
                time.sleep(pace_s)
            self.wfile.write(b"0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return Upstream(f"http://127.0.0.1:{server.server_port}/v1", server)


def _answer(messages: list[dict[str, Any]]) -> str:
    return TALK.get(str(messages[-1]["content"]), FALLBACK)


def _usage(messages: list[dict[str, Any]], text: str) -> dict[str, int]:
    asked = sum(len(str(m["content"]).split()) for m in messages) * 4 // 3 + 8
    said = len(text.split()) * 4 // 3
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _events(head: dict[str, Any], text: str, usage: dict[str, int]) -> list[str]:
    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return json.dumps({**head, "object": "chat.completion.chunk", "choices": [choice]})

    words = text.split(" ")
    pieces = [words[0], *(f" {word}" for word in words[1:])]
    last = json.dumps({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    return [
        event({"role": "assistant", "content": ""}),
        *(event({"content": piece}) for piece in pieces),
        event({}, "stop"),
        last,
        "[DONE]",
    ]


class Owner(NamedTuple):
    """Whose calls they are."""

    key_id: str
    project: str
    environment: str


class Served(NamedTuple):
    """What answers, what it costs per token (input, output) in nano-dollars, and how fast it is."""

    provider: str
    model: str
    price: tuple[int, int] | None
    price_id: str
    ttft_ms: float
    tpot_ms: float


class Shape(NamedTuple):
    """Calls of one kind and their share of all."""

    share: float
    owner: Owner
    route: str
    served: Served


FAULTS = (
    ("rate_limit", 429, "Rate limit reached for requests per minute: 500 of 500"),
    ("timeout", 504, "no first byte within 120 s"),
    ("server", 503, "The server is overloaded, try again later"),
)


def day(shapes: list[Shape], calls: int, seed: int = 11) -> list[Shipped]:
    """Calls of the last 24 hours: quiet nights, busy noons and evenings, some faults."""
    rng = random.Random(seed)  # noqa: S311 - made-up traffic
    now = time.time_ns()
    made: list[Shipped] = []
    while len(made) < calls:
        back_s = rng.uniform(30, 24 * 3600)
        hour = time.localtime(now / 1e9 - back_s).tm_hour + rng.random()
        if rng.random() > _busy(hour):
            continue
        shape = rng.choices(shapes, [shape.share for shape in shapes])[0]
        made.append(_call(rng, shape, now - int(back_s * 1e9)))
    return sorted(made, key=lambda item: item.record.start_ns)


def _busy(hour: float) -> float:
    noon, evening = math.exp(-((hour - 12.5) ** 2) / 5), math.exp(-((hour - 19) ** 2) / 6)
    return 0.12 + 0.6 * noon + 0.85 * evening


def _call(rng: random.Random, shape: Shape, start_ns: int) -> Shipped:
    owner, served = shape.owner, shape.served
    question = rng.choice(list(TALK))
    answer = TALK[question]
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
    usage = _usage(messages, answer)
    fault = rng.choice(FAULTS) if rng.random() < 0.025 else None
    stream = rng.random() < 0.7
    ttft = served.ttft_ms * rng.lognormvariate(0, 0.35)
    said = 0 if fault else usage["completion_tokens"]
    total_ms = ttft + said * served.tpot_ms * rng.lognormvariate(0, 0.2)
    cost = _cost(shape, usage["prompt_tokens"], said)
    head = {"id": f"chatcmpl-{rng.getrandbits(40):x}", "model": served.model}
    request = {"model": shape.route, "messages": messages, "stream": stream, "temperature": 0.2}
    record = Record(
        trace_id=rng.randbytes(16), span_id=rng.randbytes(8), parent_id=b"", is_root=True,
        start_ns=start_ns, duration_ns=int(total_ms * 1e6), project=owner.project,
        environment=owner.environment, key_id=owner.key_id, endpoint="chat", route=shape.route,
        provider=served.provider, target=f"{served.provider}/{served.model}", model=served.model,
        served_model=served.model, status=fault[1] if fault else 200,
        error=fault[0] if fault else "", error_message=fault[2] if fault else "",
        finish_reason="" if fault else "stop", stream=stream, attempt=1,
        ttft_ns=0 if fault else int(ttft * 1e6), tpot_ns=0 if fault else int(served.tpot_ms * 1e6),
        input_tokens=usage["prompt_tokens"], output_tokens=said, cache_read_tokens=0,
        cache_write_tokens=0, reasoning_tokens=0, usage_source="provider",
        cost_nano=sum(cost) if cost else None, cost_detail=cost or (), price_id=served.price_id,
        user=f"guest-{rng.randrange(60)}", session="", tags=(), client="127.0.0.1",
        response_id=str(head["id"]),
        stages=(41_000, 4_100, 5_200, 3_000, 310_000, int(total_ms * 1e6), 16_000),
        request_bytes=700, response_bytes=900, payload=1, revision=1,
    )  # fmt: skip
    body = _body(head, answer, usage, fault, stream)
    return Shipped(record, json.dumps(request).encode(), body.encode())


def _cost(shape: Shape, asked: int, said: int) -> tuple[int, int, int, int, int, int] | None:
    """Per part, in the order of the span log's cost detail."""
    if shape.served.price is None:
        return None
    return (asked * shape.served.price[0], said * shape.served.price[1], 0, 0, 0, 0)


def _body(
    head: dict[str, Any],
    answer: str,
    usage: dict[str, int],
    fault: tuple[str, int, str] | None,
    stream: bool,
) -> str:
    if fault:
        return json.dumps({"error": {"message": fault[2], "type": fault[0], "code": fault[0]}})
    if stream:
        return "".join(f"data: {event}\n\n" for event in _events(head, answer, usage))
    message = {"role": "assistant", "content": answer}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({**head, "choices": [choice], "usage": usage})


def ship(instance: Instance, items: list[Shipped]) -> None:
    """Send records to ingest in shipments of 500, as a stream of their own."""
    url = (instance.announced("ingest") or {})["url"]
    headers = {"authorization": f"Bearer {instance.internal_token}"}
    stream = f"demo-0-{os.getpid()}{time.time_ns()}"
    for begin in range(0, len(items), 500):
        part = tuple(items[begin : begin + 500])
        shipment = Shipment(stream, 0, begin, begin + len(part), part)
        body = msgspec.msgpack.encode(shipment)
        answer = httpx.post(f"{url}/internal/shipments", content=body, headers=headers, timeout=60)
        answer.raise_for_status()
