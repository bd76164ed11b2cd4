"""The stages before the upstream: authenticate, read, limit, route. Each refuses in plain words.

Knows keys, limits and routes; knows neither sockets nor the spool's format.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from stockpot.core.errors import did_you_mean
from stockpot.gateway.call import Call, Refused, Reply
from stockpot.gateway.pipeline import PAUSE, Verdict
from stockpot.gateway.route import candidates
from stockpot.providers import UNREADABLE, Ask, BadRequest, CannotExpress, not_json

LARGE_BODY = 256 * 1024
"""Bytes from which a body is decoded in a thread: 1 MB takes about 1 ms, 4 % of a 40 Hz stream."""

_KEY_HEADERS = (b"x-api-key", b"api-key", b"x-goog-api-key")
_one_lane = ThreadPoolExecutor(1, "large-bodies")
"""Large bodies are read one after the other, so that many of them do not crowd out small calls."""

_sha256 = hashlib.sha256
_PROMPT, _NAMES_A_PROMPT = b"x-stockpot-prompt", b'"prompt:'


def authenticate(call: Call) -> Verdict:
    """Find the virtual key; check that it is active, in date and used from an allowed address."""
    if call.request.query and _names_a_key(call.request.query):
        return Reply(
            401,
            "key_in_url",
            "a key in the URL ends up in the logs of everything between us, so it is not taken; "
            "send it in the header 'x-goog-api-key' or 'Authorization: Bearer'",
            record=False,
        )
    secret = _credential(call)
    if not secret:
        return Reply(
            401,
            "missing_api_key",
            "no API key in the request; send 'Authorization: Bearer sk-sp-...' "
            "(stockpot keys create --name NAME)",
            record=False,
        )
    entry = call.view.keys.get(_sha256(secret).digest())
    if entry is None:
        return Reply(401, "invalid_api_key", "this API key is not known here", record=False)
    call.key = entry
    spec = entry.spec
    if spec.state != "active":
        return Reply(401, "key_disabled", f"the key {spec.name!r} is disabled")
    if spec.expires_ms and spec.expires_ms < time.time() * 1000:
        return Reply(401, "key_expired", f"the key {spec.name!r} has expired")
    if entry.networks and not entry.admits(call.request.client):
        return Reply(
            403,
            "address_not_allowed",
            f"the key {spec.name!r} may not be used from {call.request.client}",
        )
    return None


def _credential(call: Call) -> bytes:
    header = call.headers.get(b"authorization")
    if header is not None and header[:7].lower() == b"bearer ":
        return header[7:].strip()
    for name in _KEY_HEADERS:
        if secret := call.headers.get(name):
            return secret
    return b""


def _names_a_key(query: bytes) -> bool:
    return any(field.startswith(b"key=") for field in query.split(b"&"))


def read(call: Call) -> Verdict:
    """Read the body shallowly and find its route; a large body is read in a thread."""
    if len(call.request.body) > LARGE_BODY:
        asyncio.ensure_future(_read_in_thread(call))  # noqa: RUF006 - it ends in pipeline.resume
        return PAUSE
    try:
        ask = _ask(call)
    except (BadRequest, Refused) as bad:
        return _bad(bad)
    return _resolve(call, ask)


def _bad(bad: BadRequest | Refused) -> Reply:
    return bad.reply if isinstance(bad, Refused) else Reply(400, bad.code, bad.message, bad.param)


def _ask(call: Call) -> Ask:
    request = call.request
    path = b"%b?%b" % (request.path, request.query) if request.query else request.path
    if _PROMPT in call.headers:
        return _prompted(call)
    try:
        ask = call.dialect.read(call.endpoint, request.body, path, call.headers)
    except BadRequest:
        if _NAMES_A_PROMPT in request.body:  # whose messages may be all that there are
            return _prompted(call)
        raise
    except UNREADABLE as bad:
        raise not_json(bad) from None
    return _prompted(call) if ask.model.startswith("prompt:") else ask


def _prompted(call: Call) -> Ask:
    from stockpot.gateway.prompting import prompt_ask  # most workers never see a prompt

    return prompt_ask(call)


def _ask_in_full(call: Call) -> Ask:
    """Also parsed, where a target of its route has another format: that takes longest."""
    ask = _ask(call)
    route = call.view.routes.get(ask.model)
    targets = route.targets if route else ()
    if ask.endpoint == "chat" and not all(t.wire.passes(ask, t.spec) for t in targets):
        with suppress(CannotExpress):  # said again where it matters, at a target
            assert ask.prompt is not None
    return ask


async def in_one_lane(work: Callable[[bytes], Any], body: bytes) -> Any:
    """Work on a large body where other large ones are read."""
    return await asyncio.get_running_loop().run_in_executor(_one_lane, work, body)


async def _read_in_thread(call: Call) -> None:
    assert call.pipeline is not None
    try:
        ask = await asyncio.get_running_loop().run_in_executor(_one_lane, _ask_in_full, call)
    except (BadRequest, Refused) as bad:
        call.pipeline.resume(call, _bad(bad))
    except Exception:
        call.pipeline.resume(call, Reply(500, "internal_error", "the body could not be read"))
        raise
    else:
        call.pipeline.resume(call, _resolve(call, ask))


def _resolve(call: Call, ask: Ask) -> Reply | None:
    call.ask = ask
    key = call.key
    assert key is not None
    route = call.view.routes.get(ask.model)
    if route is None or not route.tiers:
        return _unknown_model(call, ask.model)
    if key.models and ask.model not in key.models:
        return Reply(
            403,
            "model_not_allowed",
            f"the key {key.spec.name!r} may not use {ask.model!r}; "
            f"it may use {', '.join(sorted(key.models))}",
            "model",
        )
    if _SERVED_BY.get(call.endpoint, call.endpoint) not in route.endpoints:
        return Reply(
            400,
            "wrong_endpoint",
            f"the model {ask.model!r} serves {', '.join(sorted(route.endpoints))}, "
            f"not {call.endpoint}",
            "model",
        )
    if call.view.experiments is not None:
        from stockpot.gateway.assigning import route_for  # most workers never see an experiment

        route = route_for(call, route)
    call.route = route
    call.mark()
    return None


_SERVED_BY = {"count_tokens": "chat"}
"""Endpoints that every route of another endpoint serves too."""


def _unknown_model(call: Call, model: str) -> Reply:
    key = call.key
    assert key is not None
    names = [n for n in call.view.routes if not key.models or n in key.models]
    near = did_you_mean(model, names)
    return Reply(
        404,
        "model_not_found",
        f"no model {model!r} here.{near} GET /v1/models lists what this key may use",
        "model",
    )


def guard(call: Call) -> Verdict:
    """Have the policy that holds for this call look at what it asks."""
    rails = call.view.rails
    return None if rails is None or call.internal else rails(call)


def choose(call: Call) -> Verdict:
    """Order the route's targets for this call."""
    assert call.route is not None
    call.candidates = candidates(call.route, call)
    if not call.candidates:
        return Reply(
            503,
            "no_target",
            f"the route {call.route.name!r} sends this call ({call.route_reason}) to targets that "
            "are not connected",
            "model",
        )
    call.mark()
    return None
