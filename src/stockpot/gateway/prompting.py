"""A call that names a prompt: which version, rendered with its variables, put into the body.

    model: "prompt:menu@production"      or      x-stockpot-prompt: menu@production

What comes out is an ordinary request of the client's dialect, so that everything behind it (key's
models, limits, cache, route, record) sees what the model will see. Knows prompts out of the
snapshot; loaded with the first call that names one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import msgspec

from stockpot.core.errors import did_you_mean
from stockpot.gateway.call import Call, Prompted, Refused, Reply
from stockpot.providers import UNREADABLE, Ask, BadRequest, not_json, prompted
from stockpot.templates import TemplateFault, Version, render

if TYPE_CHECKING:
    from stockpot.gateway.prompt_table import PromptEntry

HEADER = b"x-stockpot-prompt"
PREFIX = "prompt:"
PRODUCTION = "production"
_KEPT_VARIABLES = 64 * 1024
"""Bytes of variables up to which they are kept beside the rendered request."""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode
_variables = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def prompt_ask(call: Call) -> Ask:
    """The call's request with its prompt in it. Raises BadRequest or Refused."""
    request = call.request
    fields = _fields(request.body)
    named, own = _named(call, fields)
    version, label = _version(call, named)
    call.prompt = Prompted(version.name, str(version.number), label)
    raw = fields.pop("prompt_variables", None)
    said = _said(version, raw, fields)
    try:
        made, lost = prompted.put_before(call.dialect.name, call.endpoint, fields, said)
    except msgspec.MsgspecError as bad:
        raise BadRequest(f"the body is not what its format says: {bad}") from None
    call.prompt = call.prompt._replace(lost=tuple(lost))
    model = own or version.model
    if not model:
        raise BadRequest(
            f"the prompt {version.name!r} names no model; name it in the header "
            "'x-stockpot-prompt' and the model in the request",
            "model",
        )
    path = request.path
    if call.dialect.name == "gemini":
        path = _with_model(call, model)
    else:
        made["model"] = model
    body = _encode(made)
    call.request = msgspec.structs.replace(request, body=body, path=path)
    asked = b"%b?%b" % (path, request.query) if request.query else path
    ask = call.dialect.read(call.endpoint, body, asked, call.headers)
    if raw is not None and len(raw := bytes(raw)) <= _KEPT_VARIABLES:
        ask.kept = body[:-1] + b',"prompt_variables":' + raw + b"}"
    return ask


def _fields(body: bytes) -> dict[str, Any]:
    try:
        return dict(_decode(body))
    except UNREADABLE as bad:
        raise not_json(bad) from None


def _named(call: Call, fields: dict[str, Any]) -> tuple[str, str]:
    """The prompt's reference, and the model that the request names of its own."""
    if call.dialect.name == "gemini":
        below = call.dialect.below
        model = unquote(call.request.path[len(below) :].rpartition(b":")[0].decode("latin-1"))
    else:
        try:
            model = _text(fields["model"]) if "model" in fields else ""
        except msgspec.MsgspecError:
            raise BadRequest("'model' must be a string", "model") from None
    header = call.headers.get(HEADER)
    if header is None:
        return model.removeprefix(PREFIX), ""
    own = "" if model == "prompt" or model.startswith(PREFIX) else model
    return header.decode("utf-8", "replace").strip(), own


def _with_model(call: Call, model: str) -> bytes:
    below = call.dialect.below
    verb = call.request.path[len(below) :].rpartition(b":")[2]
    return b"%b%b:%b" % (below, quote(model, safe="/@-._~").encode(), verb)


def _version(call: Call, named: str) -> tuple[Version, str]:
    name, _, ref = named.partition("@")
    key = call.key
    assert key is not None
    project = key.spec.project
    known = call.view.prompts
    entry = known.get((project, name))
    if entry is None:
        names = [other for of, other in known if of == project]
        raise Refused(
            Reply(
                404,
                "prompt_not_found",
                f"no prompt {name!r} in the project {project!r}.{did_you_mean(name, names)}",
                "model",
            )
        )
    ref = ref or PRODUCTION
    if call.view.experiments is not None:
        split = _split(call, name, ref)
        if split is not None:
            return split, ref
    return _at(entry, ref)


def _split(call: Call, name: str, label: str) -> Version | None:
    """The version of the arm that the call's unit is in; None for the label's own."""
    from stockpot.gateway.assigning import arm_for_label, counted, not_served

    met = arm_for_label(call, f"{name}@{label}")
    if met is None:
        return None
    split, arm, drawn = met
    assert call.key is not None
    named, _, ref = arm.target.rpartition("@")
    entry = call.view.prompts.get((call.key.spec.project, named or name))
    try:
        version, _ = _at(entry, ref) if entry is not None else (None, "")
    except Refused:
        version = None
    if version is None:
        not_served(split)
        return None
    counted(call, split, drawn)
    return version


def _at(entry: PromptEntry, ref: str) -> tuple[Version, str]:
    label, number = ref, entry.labels.get(ref)
    if ref.isascii() and ref.isdigit():
        label, number = "", int(ref[:10])
    elif ref == "latest":
        number = max(entry.versions, default=0)
    version = entry.versions.get(number) if number is not None else None
    if version is not None:
        return version, label
    if label:
        have = ", ".join(sorted(entry.labels)) or "none"
        why = f"the prompt {entry.name!r} has no label {ref!r}; it has {have}"
    else:
        why = (
            f"version {ref} of the prompt {entry.name!r} is not served here: the newest are, and "
            "those that have a label"
        )
    raise Refused(Reply(404, "prompt_not_found", why, "model"))


def _said(version: Version, raw: Any, fields: dict[str, Any]) -> prompted.Said:
    try:
        variables = _variables(raw) if raw is not None else {}
    except msgspec.MsgspecError:
        raise BadRequest("'prompt_variables' must be an object", "prompt_variables") from None
    try:
        made = render(version, variables)
    except TemplateFault as fault:
        at = f"prompt_variables.{fault.variable}" if fault.variable else "prompt_variables"
        raise BadRequest(
            f"the prompt {version.name!r} (version {version.number}): {fault.message}",
            at,
            "invalid_prompt_variables",
        ) from None
    messages = made.messages
    if made.kind == "text":
        messages = ({"role": "user", "content": made.text},)
    return prompted.Said(messages, made.tools, made.response_schema, made.params, made.text)
