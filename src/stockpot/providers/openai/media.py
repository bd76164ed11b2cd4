"""Sound, images, moderation and rerank of OpenAI's API: routed by model, passed as they come.

Knows where the model's name stands in JSON and in forms; knows no vendor and translates nothing.

Source: the types of the `openai` package; for `/rerank` the documentation of Jina, vLLM and Cohere,
whose requests share `model`, `query` and `documents`.
"""

from __future__ import annotations

import msgspec

from stockpot.prices import Usage
from stockpot.providers.base import Answer, Ask, BadRequest, Endpoint, Outgoing, UpstreamTarget
from stockpot.providers.model_name import named
from stockpot.providers.openai.multipart import Form
from stockpot.providers.responses import TypedAnswer

PATHS: dict[Endpoint, str] = {
    "speech": "/audio/speech",
    "transcriptions": "/audio/transcriptions",
    "translations": "/audio/translations",
    "images": "/images/generations",
    "image_edits": "/images/edits",
    "moderations": "/moderations",
    "rerank": "/rerank",
}
FORMS = frozenset({"transcriptions", "translations", "image_edits"})
_LONGEST_KEPT = 20_000


class _Body(msgspec.Struct):
    model: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"")
    prompt: msgspec.Raw = msgspec.Raw(b"")
    query: msgspec.Raw = msgspec.Raw(b"")
    documents: msgspec.Raw = msgspec.Raw(b"")
    stream: bool | None = None
    stream_format: str | None = None
    n: int | None = None
    user: str | None = None


_body = msgspec.json.Decoder(_Body)


def read(endpoint: Endpoint, body: bytes, content_type: bytes) -> Ask:
    """Raises BadRequest, and msgspec's errors for JSON that is none."""
    if endpoint in FORMS:
        return _read_form(endpoint, body, content_type)
    head = _body.decode(body)
    if head.model is None:
        if endpoint != "moderations":
            raise BadRequest("Object missing required field `model`", "model")
        head.model = "omni-moderation-latest"  # what OpenAI takes when nothing is said
    said = sum(len(memoryview(raw)) for raw in (head.input, head.prompt, head.query))
    tokens = (said + len(memoryview(head.documents))) // 4 + 1
    stream = endpoint == "speech" or bool(head.stream)  # sound goes on as it comes
    return Ask(
        "openai", endpoint, body, head.model, stream, True, tokens, 0, head.n or 1, head.user or ""
    )


def _read_form(endpoint: Endpoint, body: bytes, content_type: bytes) -> Ask:
    form = Form(body, content_type)
    model = form.text("model")
    if model is None:
        raise BadRequest("the form has no field 'model'", "model")
    prompt = form.text("prompt") or ""
    number = form.text("n") or "1"
    ask = Ask(
        "openai",
        endpoint,
        body,
        model,
        form.text("stream") in ("true", "True", "1"),
        True,
        len(prompt) // 4 + 1,
        0,
        int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 1,
        form.text("user") or "",
        headers={b"content-type": content_type},
    )
    ask.kept = _described(form)
    return ask


def _described(form: Form) -> bytes:
    """The form as JSON, files by their names and sizes."""
    shown: dict[str, object] = {}
    for part in form.parts:
        if part.file is None:
            text = form.body[part.begin : min(part.end, part.begin + _LONGEST_KEPT)]
            shown[part.name] = text.decode("utf-8", "replace")
        else:
            size = part.end - part.begin
            shown[part.name] = {"file": part.file, "type": part.content_type, "bytes": size}
    return msgspec.json.encode(shown)


def outgoing(ask: Ask, target: UpstreamTarget) -> Outgoing:
    """The client's body with the target's model."""
    if ask.endpoint not in FORMS:
        body = named(ask.body, ask.model, target.model)
        return Outgoing(PATHS[ask.endpoint], (), body)
    kind = ask.headers[b"content-type"]
    body = ask.body
    if ask.model != target.model:
        part = Form(body, kind).field("model")
        assert part is not None
        body = b"%b%b%b" % (body[: part.begin], target.model.encode(), body[part.end :])
    return Outgoing(PATHS[ask.endpoint], (), body, content_type=kind.decode("latin-1"))


def answer(ask: Ask) -> Answer:
    if ask.endpoint == "speech":
        asked = _body.decode(ask.body)
        if asked.stream_format != "sse":
            return SoundAnswer(_letters(asked.input))
    return RerankAnswer() if ask.endpoint == "rerank" else TypedAnswer()


def _letters(text: msgspec.Raw) -> int:
    try:
        return len(msgspec.json.decode(text, type=str))
    except msgspec.MsgspecError:
        return 0


class SoundAnswer(TypedAnswer):
    """Bytes of sound: nothing to listen to, and no way to say an error inside. Its usage is the
    length of the text, once something was spoken."""

    __slots__ = ("_letters",)

    def __init__(self, letters: int) -> None:
        super().__init__()
        self._letters = letters

    def complete(self, body: bytes) -> bytes:
        self.usage = Usage(characters=self._letters) if self._letters else None
        self.started = self.ended = True
        return body

    def feed(self, data: bytes) -> bytes:
        self.started = True
        if self.usage is None and self._letters:
            self.usage = Usage(characters=self._letters)
        return data

    def end(self) -> bytes:
        self.ended = True  # the framing of HTTP says that it is whole
        return b""

    def broken(self, message: str, code: str) -> bytes:
        return b""


class _Billed(msgspec.Struct):
    input_tokens: float | None = None
    search_units: float | None = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _RerankBody(msgspec.Struct):
    meta: _Meta | None = None


_rerank = msgspec.json.Decoder(_RerankBody)


class RerankAnswer(TypedAnswer):
    """Usage is `usage.total_tokens`, or Cohere's billed units."""

    __slots__ = ()

    def complete(self, body: bytes) -> bytes:
        super().complete(body)
        if self.usage is None:
            try:
                meta = _rerank.decode(body).meta
            except msgspec.MsgspecError:
                return body
            if meta is not None and meta.billed_units is not None:
                units = meta.billed_units
                searches = int(units.search_units or 0)
                self.usage = Usage(int(units.input_tokens or 0), searches=searches)
        return body
