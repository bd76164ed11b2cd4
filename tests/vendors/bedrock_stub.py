"""A stand-in for Bedrock's Converse on loopback: checks requests with botocore's service model,
verifies signatures with botocore's signer, answers in JSON or as a binary event stream.

Shares no code with the product. What it answers is chosen by the model's id.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import OperationModel, Shape
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.vendors.loopback import Loopback, begin, end, reset, send, whole

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session/token+1=="
API_KEY = "bedrock-api-key-1234"
REGION = "eu-central-1"


@cache
def operation(name: str) -> OperationModel:
    """Of botocore's model of Bedrock Runtime."""
    return get_session().get_service_model("bedrock-runtime").operation_model(name)


def checked(shape: Shape, value: Any, at: str = "body") -> Any:
    """A JSON value as botocore's own parameters. AssertionError where the model forbids it."""
    if getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure":
        assert isinstance(value, dict), f"{at}: {value!r} is no object"
        unknown = value.keys() - shape.members.keys()
        assert not unknown, f"{at}: no members {sorted(unknown)}"
        return {k: checked(shape.members[k], v, f"{at}.{k}") for k, v in value.items()}
    if shape.type_name == "list":
        return [checked(shape.member, v, f"{at}[{i}]") for i, v in enumerate(value)]
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "string":
        allowed, pattern = getattr(shape, "enum", None), shape.metadata.get("pattern")
        assert not allowed or value in allowed, f"{at}: {value!r} is none of {allowed}"
        assert not pattern or re.fullmatch(pattern, value), f"{at}: {value!r} is not {pattern}"
    return value


def validated(name: str, model: str, body: dict[str, Any]) -> None:
    """Refuse what botocore would refuse to send."""
    shape = operation(name).input_shape
    params = checked(shape, {"modelId": model, **body})
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message of the event stream."""
    lines = b""
    for name, value in headers.items():
        lines += struct.pack(">B", len(name)) + name.encode()
        lines += struct.pack(">BH", 7, len(value.encode())) + value.encode()
    begin = struct.pack(">II", 16 + len(lines) + len(payload), len(lines))
    begin += struct.pack(">I", binascii.crc32(begin))
    whole = begin + lines + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


def event(kind: str, body: dict[str, Any]) -> bytes:
    """An event, checked against the shape that the service model names."""
    shape = operation("ConverseStream").output_shape.members["stream"].members[kind]
    checked(shape, body, kind)
    headers = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    # Amazon pads its events to hide how long tokens are.
    return frame(headers, json.dumps({**body, "p": "abcd"}).encode())


def exception(kind: str, message: str) -> bytes:
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, json.dumps({"message": message}).encode())


USAGE = {
    "inputTokens": 7, "outputTokens": 5, "totalTokens": 42,
    "cacheReadInputTokens": 20, "cacheWriteInputTokens": 10,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 4}, {"ttl": "5m", "inputTokens": 6}],
}  # fmt: skip


@dataclass(frozen=True)
class Behaviour:
    """How one call is answered, by the content blocks of the answer."""

    blocks: tuple[dict[str, Any], ...] = ({"text": "The kettle is on."},)
    stop: str = "end_turn"
    status: int = 200
    failure: str = ""
    cut_after: int | None = None
    """Reset the connection after so many events."""

    def body(self) -> dict[str, Any]:
        made = {
            "output": {"message": {"role": "assistant", "content": list(self.blocks)}},
            "stopReason": self.stop,
            "usage": USAGE,
            "metrics": {"latencyMs": 12},
        }
        checked(operation("Converse").output_shape, made, "answer")
        return made

    def events(self) -> Iterator[bytes]:
        yield event("messageStart", {"role": "assistant"})
        for number, block in enumerate(self.blocks):
            yield from _block(number, block)
        if self.failure:
            yield exception("modelStreamErrorException", self.failure)
            return
        yield event("messageStop", {"stopReason": self.stop})
        yield event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 12}})


def _block(number: int, block: dict[str, Any]) -> Iterator[bytes]:
    """A block as the pieces in which Bedrock streams it; only a tool's use is announced."""

    def delta(said: dict[str, Any]) -> bytes:
        return event("contentBlockDelta", {"delta": said, "contentBlockIndex": number})

    if "text" in block:
        for word in re.findall(r"\s*\S+", block["text"]):
            yield delta({"text": word})
    elif "toolUse" in block:
        use = block["toolUse"]
        start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
        yield event("contentBlockStart", {"start": start, "contentBlockIndex": number})
        text = json.dumps(use["input"])
        for at in range(0, len(text), 5):
            yield delta({"toolUse": {"input": text[at : at + 5]}})
    elif "reasoningContent" in block:
        said = block["reasoningContent"]
        if "redactedContent" in said:
            yield delta({"reasoningContent": said})
        else:
            yield delta({"reasoningContent": {"text": said["reasoningText"]["text"]}})
            signature = said["reasoningText"]["signature"]
            yield delta({"reasoningContent": {"signature": signature}})
    else:
        cited = block["citationsContent"]
        yield delta({"text": cited["content"][0]["text"]})
        for each in cited["citations"]:
            yield delta({"citation": each})
    yield event("contentBlockStop", {"contentBlockIndex": number})


@dataclass
class BedrockStub(Loopback):
    """Answers by the model's name."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: str,
        head: dict[str, str],
        raw: bytes,
    ) -> bool:
        path = line.partition(" ")[2]
        if not self._may(path, head, raw):
            message = "The request signature we calculated does not match"
            return await self._json(writer, 403, {"message": message})
        model, verb = path.removeprefix("/model/").split("/")
        name = {"converse": "Converse", "converse-stream": "ConverseStream"}[verb]
        body = json.loads(raw)
        try:
            validated(name, unquote(model), body)
        except AssertionError as bad:
            self.faults.append(str(bad))
            return await self._json(writer, 400, {"message": str(bad)})
        self.models.append(unquote(model))
        self.requests.append(body)
        behaviour = self.behaviours.get(unquote(model), Behaviour())
        if behaviour.status >= 400:
            return await self._json(writer, behaviour.status, {"message": "as told"})
        if name == "Converse":
            return await self._json(writer, 200, behaviour.body())
        return await self._stream(writer, behaviour)

    def _may(self, path: str, head: dict[str, str], raw: bytes) -> bool:
        given = head.get("authorization", "")
        if given.startswith("Bearer "):
            return given == f"Bearer {API_KEY}"
        return given == expected(path, head, raw)

    async def _stream(self, writer: asyncio.StreamWriter, behaviour: Behaviour) -> bool:
        begin(writer, "application/vnd.amazon.eventstream")
        for number, data in enumerate(behaviour.events()):
            if number == behaviour.cut_after:
                return await reset(writer)
            if b"modelStreamErrorException" in data:
                await asyncio.sleep(0.2)  # or it comes with the first words, in one read
            await send(writer, data)
        return end(writer)

    async def _json(self, writer: asyncio.StreamWriter, status: int, body: Any) -> bool:
        return await whole(writer, status, json.dumps(body).encode())


def expected(path: str, head: dict[str, str], raw: bytes) -> str:
    """The proof that botocore computes for the headers that a request says it signed."""
    found = re.search(r"SignedHeaders=([^,]+)", head.get("authorization", ""))
    names = found[1].split(";") if found else []
    if not {"host", "x-amz-date"} <= set(names):
        return "all of these must be signed"
    headers = {name: head[name] for name in names}
    request = AWSRequest("POST", f"https://{head['host']}{path}", headers=headers, data=raw)
    request.context["timestamp"] = head["x-amz-date"]
    token = head.get("x-amz-security-token")
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, token), "bedrock", REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signature = signer.signature(text, request)
    scope = signer.scope(request)
    return (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature}"
    )
