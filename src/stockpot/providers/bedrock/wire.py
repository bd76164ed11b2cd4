"""The wire to Bedrock's Converse: paths, signatures, answers. Knows no socket.

A target's options: `region` (else read from the address, else `default_region`), `access_key_id`,
`secret_access_key` and `session_token` sign each request; without them the target's own header, a
Bedrock API key as bearer, goes along. `family` names the kind of model where its ARN does not tell.

Sources: the service model of Bedrock Runtime in botocore (2023-09-30); Amazon Bedrock's user guide,
"API keys".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlsplit

import msgspec

from stockpot.providers.base import Answer, Ask, CannotExpress, Outgoing, UpstreamTarget
from stockpot.providers.bedrock import embeddings
from stockpot.providers.bedrock.compose import composed
from stockpot.providers.bedrock.read import ConverseReader
from stockpot.providers.bedrock.sign import Credentials, signed
from stockpot.providers.translate import Translated

_STREAM = b"application/vnd.amazon.eventstream"
_REGION = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_FIRST = "us-east-1"


class _ErrorBody(msgspec.Struct):
    message: str | None = None
    upper: str | None = msgspec.field(name="Message", default=None)


class BedrockWire:
    """Converse and ConverseStream. `clock` tells the seconds since 1970 for signatures."""

    name = "bedrock"
    dialect = "bedrock"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def passes(self, ask: Ask, target: UpstreamTarget) -> bool:
        return False

    def is_stream(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        return any(k == b"content-type" and v.startswith(_STREAM) for k, v in headers)

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if ask.endpoint == "embeddings" and ask.dialect == "openai":
            return self._embedding(ask, target)
        if ask.endpoint != "chat" or ask.spoken is None:
            raise CannotExpress(f"Bedrock's Converse has nothing like {ask.endpoint}")
        said, losses = composed(ask.prompt, target.model, target.options)
        body = msgspec.json.encode(said)
        verb = "converse-stream" if ask.stream else "converse"
        path = f"/model/{quote(target.model, safe='-._~')}/{verb}"
        return Outgoing(path, self._headers(target, path, body), body, tuple(losses))

    def _embedding(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        if not embeddings.serves(target.model):
            raise CannotExpress(f"the bodies of {target.model!r} on Bedrock are not known here")
        body, losses = embeddings.compose(ask.body, target.model, target.options)
        path = f"/model/{quote(target.model, safe='-._~')}/invoke"
        return Outgoing(path, self._headers(target, path, body), body, losses)

    def _headers(
        self, target: UpstreamTarget, path: str, body: bytes
    ) -> tuple[tuple[str, str], ...]:
        options = target.options
        if not options.get("access_key_id"):
            return ()
        where = urlsplit(target.base_url)
        who = Credentials(
            options["access_key_id"],
            options.get("secret_access_key", ""),
            options.get("region") or _region(where.netloc) or options.get("default_region", _FIRST),
            options.get("session_token", ""),
        )
        host = where.netloc.rpartition("@")[2]  # as it stands in the request's head
        whole = where.path.rstrip("/") + path
        return signed(who, "bedrock", host, whole, "application/json", body, self._clock())

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer:
        if ask.endpoint == "embeddings":
            return embeddings.embedded(ask, target.model)
        assert ask.spoken is not None
        return Translated(ConverseReader(), ask.spoken.writer(ask), ask.stream)

    def error_message(self, body: bytes) -> str:
        try:
            error = msgspec.json.decode(body, type=_ErrorBody)
        except msgspec.MsgspecError:
            return body[:300].decode("utf-8", "replace")
        return error.message or error.upper or ""


def _region(host: str) -> str:
    found = _REGION.search(host)
    return found[1] if found else ""
