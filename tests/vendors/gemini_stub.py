"""A stand-in for the Gemini API and Vertex AI on loopback: checks each request and builds each
answer with the types that the `google-genai` package publishes. Shares no code with the product.

What it does to a call is chosen by a marker in the prompt, such as `[tools]`; the last one counts.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.genai import types as g
from pydantic import ValidationError

from tests.vendors.loopback import Loopback, begin, end, reset, send, whole

VENDOR_KEY = "AIza-vendor-secret-1234"
AUDIENCE = "https://aiplatform.googleapis.com/"
SIGNATURE = b"\xfb\xff proof of a thought"
TEXT = "Ein Kännchen steht auf dem Herd. 🫖"
THOUGHT = "The user asks about a pot. "
PICTURE = base64.b64decode("iVBORw0KGgo=")
_MARKER = re.compile(r"\[([a-z]+(?:-[a-z0-9]+)*)\]")
_USAGE = {"prompt_token_count": 11, "candidates_token_count": 5, "total_token_count": 16}
_REQUEST = {
    "contents": g.Content,
    "tools": g.Tool,
    "safetySettings": g.SafetySetting,
    "toolConfig": g.ToolConfig,
    "systemInstruction": g.Content,
    "generationConfig": g.GenerationConfig,
}
_PLAIN = ("cachedContent", "serviceTier", "labels", "model", "store")


class Refused(Exception):
    """A request that Google would not take."""

    def __init__(self, message: str, code: int = 400, status: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.details: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Asked:
    """One request, taken apart."""

    model: str
    verb: str
    sse: bool
    body: dict[str, Any]
    vertex: bool

    @property
    def scene(self) -> str:
        found = _MARKER.findall(json.dumps(self.body.get("contents", []), ensure_ascii=False))
        return found[-1] if found else "text"


@dataclass
class GeminiStub(Loopback):
    """Runs in a thread of its own; use as a context manager. With `account_key`, Vertex paths take
    tokens that were signed with it."""

    account_key: rsa.RSAPublicKey | None = None
    requests: list[Asked] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1beta"

    @property
    def vertex_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: str,
        head: dict[str, str],
        raw: bytes,
    ) -> bool:
        target = line.partition(" ")[2]
        self.raw.append(raw)
        try:
            asked = self._asked(target, head, json.loads(raw))
            self.requests.append(asked)
            return await self._answer(writer, asked)
        except Refused as refused:
            return await self._refuse(writer, refused)
        except ValidationError as bad:
            return await self._refuse(writer, Refused(str(bad)))

    # checking

    def _asked(self, target: str, head: dict[str, str], body: dict[str, Any]) -> Asked:
        path, _, query = target.partition("?")
        if query not in ("", "alt=sse"):
            raise Refused(f"Unknown name in the query: {query}")
        resource, _, verb = path.rpartition(":")
        vertex = "/publishers/google/" in resource
        self._authenticate(head, vertex and "/projects/" in resource)
        model = unquote(resource.partition("/models/")[2])
        asked = Asked(model, verb, query == "alt=sse", body, vertex)
        if verb in ("generateContent", "streamGenerateContent"):
            check(body, model)
        elif verb == "countTokens":
            inner = body.get("generateContentRequest", body)
            if inner is not body and inner.get("model") != f"models/{model}":
                raise Refused("model of generateContentRequest does not match")
            check(inner, model)
        elif verb not in ("embedContent", "batchEmbedContents"):
            raise Refused(f"no method {verb}", 404, "NOT_FOUND")
        return asked

    def _authenticate(self, head: dict[str, str], by_token: bool) -> None:
        token = head.get("authorization", "").removeprefix("Bearer ")
        if not by_token:
            if head.get("x-goog-api-key") != VENDOR_KEY:
                raise Refused("API key not valid.", 401, "UNAUTHENTICATED")
            return
        self.tokens.append(token)
        if self.account_key is None or token.count(".") != 2:
            raise Refused("Request had invalid authentication.", 401, "UNAUTHENTICATED")
        signed, _, signature = token.rpartition(".")
        self.account_key.verify(
            _bytes(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        claims = json.loads(_bytes(signed.partition(".")[2]))
        if claims["aud"] != AUDIENCE or claims["exp"] - claims["iat"] > 3600:
            raise Refused("Bad claims.", 401, "UNAUTHENTICATED")

    # answering

    async def _answer(self, writer: asyncio.StreamWriter, asked: Asked) -> bool:
        if asked.verb == "countTokens":
            count = g.CountTokensResponse(total_tokens=7)
            return await self._json(writer, 200, dumped(count))
        if asked.verb in ("embedContent", "batchEmbedContents"):
            return await self._json(writer, 200, embeddings(asked))
        scene = asked.scene
        if scene.startswith("error"):
            raise error(scene)
        chunks = [dumped(chunk) for chunk in answer(asked, scene)]
        if asked.verb == "generateContent":
            return await self._json(writer, 200, chunks[0])
        return await self._stream(writer, asked, chunks, scene)

    async def _stream(
        self, writer: asyncio.StreamWriter, asked: Asked, chunks: list[str], scene: str
    ) -> bool:
        begin(writer, "text/event-stream" if asked.sse else "application/json; charset=UTF-8")
        if scene == "broken":
            chunks[-1] = json.dumps({"error": _status(503, "overloaded", "UNAVAILABLE")})
        made = list(framed(chunks, asked.sse))
        self.sent.append("".join(made).encode())
        for number, text in enumerate(made):
            data = text.encode()
            if scene == "cut" and number == 1:
                data = data[: len(data) // 2]
            await send(writer, data)
            if scene == "cut" and number == 1:
                return await reset(writer)
        return end(writer)

    async def _refuse(self, writer: asyncio.StreamWriter, refused: Refused) -> bool:
        status = _status(refused.code, str(refused), refused.status, refused.details)
        return await self._json(writer, refused.code, json.dumps({"error": status}))

    async def _json(self, writer: asyncio.StreamWriter, status: int, text: str) -> bool:
        self.sent.append(text.encode())
        return await whole(writer, status, text.encode(), kind="application/json; charset=UTF-8")


def check(body: dict[str, Any], model: str) -> None:
    """Refuses what Google's published types do not hold, and conversations out of order."""
    body = spelled(body)
    for name, value in body.items():
        if name in _PLAIN or value is None:  # null is as good as left out
            continue
        kind = _REQUEST.get(name)
        if kind is None:
            raise Refused(f"Unknown name {name!r}")
        for one in value if isinstance(value, list) else [value]:
            kind.model_validate_json(json.dumps(one))
    contents = body.get("contents")
    if not contents:
        raise Refused("contents is not specified")
    waiting = 0
    for content in contents:
        calls = [part for part in content["parts"] if "functionCall" in part]
        responses = [part for part in content["parts"] if "functionResponse" in part]
        if len(responses) != waiting:
            raise Refused(
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn."
            )
        waiting = len(calls)
        if calls and model.startswith("gemini-3") and "thoughtSignature" not in calls[0]:
            raise Refused("Function call is missing a thought_signature in functionCall parts.")
    _check_config(body.get("generationConfig", {}))


_FREE = ("args", "response", "parameters", "parametersJsonSchema", "responseSchema")
_FREE += ("responseJsonSchema", "labels")


def spelled(value: Any) -> Any:
    """Names in Google's first spelling; with underscores it takes them too."""
    if isinstance(value, list):
        return [spelled(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub("_(.)", lambda found: found[1].upper(), k): v for k, v in value.items()}
    return {k: v if k in _FREE else spelled(v) for k, v in named.items()}


def _check_config(config: dict[str, Any]) -> None:
    thinking = config.get("thinkingConfig", {})
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise Refused("You can only set only one of thinking budget and thinking level.")
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if schema and config.get("responseMimeType") not in ("application/json", "text/x.enum"):
        raise Refused("response_mime_type must be set with a schema")


def error(scene: str) -> Refused:
    """`[error-429]`, `[error-503]` and so on."""
    code = int(scene.rpartition("-")[2])
    if code == 429:
        refused = Refused("You exceeded your current quota.", 429, "RESOURCE_EXHAUSTED")
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        refused.details = [{"@type": kind, "retryDelay": "34.5s"}]
        return refused
    names = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 503: "UNAVAILABLE"}
    return Refused(f"told to say {code}", code, names.get(code, "INTERNAL"))


def answer(asked: Asked, scene: str) -> list[g.GenerateContentResponse]:
    """The chunks of an answer; a whole one is the only chunk."""
    whole = asked.verb == "generateContent"
    parts, more, last, usage = scripted(scene, asked.body)
    count = asked.body.get("generationConfig", {}).get("candidateCount", 1)
    steps = [parts] if whole else [[part] for part in pieces(parts)]
    chunks = []
    for number, step in enumerate(steps):
        end = number == len(steps) - 1
        candidates = [
            g.Candidate(
                index=index,
                content=g.Content(role="model", parts=step) if step else None,
                **({**more, **last} if end else {}),
            )
            for index in range(count)
        ]
        chunks.append(_chunk(asked, candidates if parts or last else [], usage))
    if scene == "blocked":
        chunks[0].prompt_feedback = g.GenerateContentResponsePromptFeedback(
            block_reason=g.BlockedReason.PROHIBITED_CONTENT
        )
    return chunks


def _chunk(
    asked: Asked, candidates: list[g.Candidate], usage: dict[str, Any]
) -> g.GenerateContentResponse:
    return g.GenerateContentResponse(
        candidates=candidates or None,
        model_version=f"{asked.model}-001",
        response_id="resp-Stub_1",
        usage_metadata=g.GenerateContentResponseUsageMetadata(**{**_USAGE, **usage}),
    )


def scripted(
    scene: str, body: dict[str, Any]
) -> tuple[list[g.Part], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Parts, more fields of the candidate, how it ends, and what differs in the usage."""
    stop = {"finish_reason": g.FinishReason.STOP}
    if scene == "tools":
        return _calls(), {}, stop, {}
    if scene == "call":
        return _calls()[:1], {}, stop, {}
    if scene == "empty":
        return [], {}, stop, {}
    if scene == "thoughts":
        parts = [g.Part(text=THOUGHT, thought=True), g.Part(text=TEXT)]
        config = g.GenerationConfig.model_validate(body.get("generationConfig", {}))
        if config.thinking_config is not None and config.thinking_config.include_thoughts:
            parts[1].thought_signature = SIGNATURE
        return parts, {}, stop, {"thoughts_token_count": 9, "total_token_count": 25}
    if scene == "json":
        return [g.Part(text='{"pot": "stock", "litres": 4}')], {}, stop, {}
    if scene == "blocked":
        return [], {}, {}, {"candidates_token_count": None, "total_token_count": 11}
    if scene == "unsafe":
        return [g.Part(text="Half a")], {}, {"finish_reason": g.FinishReason.SAFETY}, {}
    if scene == "long":
        return [g.Part(text=TEXT)], {}, {"finish_reason": g.FinishReason.MAX_TOKENS}, {}
    if scene == "malformed":
        return [], {}, {"finish_reason": g.FinishReason.MALFORMED_FUNCTION_CALL}, {}
    if scene == "picture":
        blob = g.Blob(mime_type="image/png", data=PICTURE)
        return [g.Part(text="Here: "), g.Part(inline_data=blob)], {}, stop, {}
    if scene == "grounded":
        return [g.Part(text=TEXT)], {"grounding_metadata": _grounding()}, stop, {}
    usage = _cached() if scene == "cached" else {}
    return [g.Part(text=TEXT)], {}, stop, usage


def _calls() -> list[g.Part]:
    first = g.Part(
        function_call=g.FunctionCall(name="weather", args={"city": "Łódź", "days": 2}),
        thought_signature=SIGNATURE,
    )
    second = g.Part(function_call=g.FunctionCall(name="weather", args={"city": "Ulm"}))
    return [first, second]


def _grounding() -> g.GroundingMetadata:
    raw = TEXT.encode()
    end = raw.index(b"steht") + len(b"steht")
    return g.GroundingMetadata(
        web_search_queries=["Kännchen", "Herd"],
        grounding_chunks=[
            g.GroundingChunk(web=g.GroundingChunkWeb(uri="https://pots.example/1", title="Pots"))
        ],
        grounding_supports=[
            g.GroundingSupport(
                segment=g.Segment(start_index=4, end_index=end, text=raw[4:end].decode()),
                grounding_chunk_indices=[0],
            )
        ],
    )


def _cached() -> dict[str, Any]:
    def one(modality: str, count: int) -> g.ModalityTokenCount:
        return g.ModalityTokenCount(modality=g.MediaModality(modality), token_count=count)

    return {
        "prompt_token_count": 2000,
        "cached_content_token_count": 1500,
        "thoughts_token_count": 20,
        "tool_use_prompt_token_count": 30,
        "candidates_token_count": 10,
        "total_token_count": 2060,
        "prompt_tokens_details": [one("TEXT", 1400), one("AUDIO", 350), one("IMAGE", 250)],
        "candidates_tokens_details": [one("TEXT", 10)],
    }


def pieces(parts: list[g.Part]) -> Iterator[g.Part]:
    """Parts as they are streamed: text by words, its signature in an empty part at the end."""
    for part in parts:
        if part.text is None:
            yield part
            continue
        for word in re.findall(r"\S+\s*|\s+", part.text):
            yield g.Part(text=word, thought=part.thought)
        if part.thought_signature:
            yield g.Part(text="", thought_signature=part.thought_signature)
    if not parts:
        yield g.Part(text="")


def embeddings(asked: Asked) -> str:
    if asked.verb == "embedContent":
        g.Content.model_validate_json(json.dumps(asked.body["content"]))
        vector = g.ContentEmbedding(values=[0.5, -0.25])
        return json.dumps({"embedding": json.loads(dumped(vector))})
    vectors = []
    for number, one in enumerate(asked.body["requests"]):
        if one["model"] != f"models/{asked.model}":
            raise Refused("model of a request does not match")
        g.Content.model_validate_json(json.dumps(one["content"]))
        size = one.get("outputDimensionality", 3)
        vectors.append(g.ContentEmbedding(values=[float(number)] + [0.5] * (size - 1)))
    usage = g.UsageMetadata(prompt_token_count=6, total_token_count=6)
    return dumped(g.EmbedContentResponse(embeddings=vectors, usage_metadata=usage))


def _status(
    code: int, message: str, status: str, details: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    made = {"code": code, "message": message, "status": status}
    return {**made, "details": details} if details else made


def framed(chunks: list[str], sse: bool) -> Iterator[str]:
    if sse:
        for chunk in chunks:
            yield f"data: {chunk}\r\n\r\n"
        return
    for number, chunk in enumerate(chunks):
        indented = json.dumps(json.loads(chunk), indent=2, ensure_ascii=False)
        yield ("[" if number == 0 else ",\r\n") + indented
    yield "\n]\n"


def dumped(made: Any) -> str:
    text: str = made.model_dump_json(by_alias=True, exclude_none=True)
    return text


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
