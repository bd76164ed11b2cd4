"""Prompts out of other tools' exports. Knows the formats of Langfuse and MLflow; knows no API.

    Langfuse  the answers of its API for prompts (`/api/public/v2/prompts/NAME`, each version), as a
              JSON list, as JSON lines, or with the list under `data`
    MLflow    prompt versions as JSON objects (`name`, `version`, `template`, ...), or what its
              registry's search answers: `model_versions` with tags

Both write variables as `{{name}}`, so what comes out is Mustache, or Jinja where a template of
MLflow has its blocks. What has no place here is named in `lost`, never dropped in silence.

Sources: Langfuse's pages on the data model, composability and placeholders of prompts, and its
OpenAPI description; MLflow's pages on the prompt registry and the names of its tags.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any, NamedTuple

from stockpot.core.errors import InvalidInput
from stockpot.prompts.models import PromptContent, PromptMessage

JSON = dict[str, Any]
_ROLES = ("system", "developer", "user", "assistant")
_REFERENCE = re.compile(r"@@@langfusePrompt:name=([^|@]+)\|(version|label)=([^@|]+)@@@")
_PARAMS = (
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "stop", "seed",
    "presence_penalty", "frequency_penalty", "reasoning_effort",
)  # fmt: skip


class ImportedVersion(NamedTuple):
    """One version; `number` is the other tool's. `labels` are those that pointed at it."""

    number: int
    content: PromptContent
    message: str
    labels: tuple[str, ...]


class ImportedPrompt(NamedTuple):
    """A prompt with its versions, oldest first."""

    name: str
    folder: str
    tags: tuple[str, ...]
    versions: tuple[ImportedVersion, ...]
    lost: tuple[str, ...]


def read_export(text: str, tool: str) -> tuple[ImportedPrompt, ...]:
    """Raises InvalidInput for what is no export of this tool."""
    rows = _rows(text)
    reader = {"langfuse": _langfuse, "mlflow": _mlflow}[tool]
    by_name: dict[str, list[_Read]] = defaultdict(list)
    for number, row in enumerate(rows, 1):
        try:
            read = reader(row)
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise InvalidInput(f"entry {number} is no prompt of {tool}: {bad!r}") from None
        by_name[read.name].append(read)
    return tuple(_prompt(name, found) for name, found in sorted(by_name.items()))


class _Read(NamedTuple):
    name: str
    number: int
    content: PromptContent
    message: str
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    lost: tuple[str, ...]


def _rows(text: str) -> list[JSON]:
    try:
        told = json.loads(text)
    except ValueError:
        try:
            told = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as bad:
            raise InvalidInput(f"the file is neither JSON nor JSON lines: {bad}") from None
    if isinstance(told, dict):
        inner = (told[n] for n in ("data", "prompts", "prompt_versions", "model_versions")
                 if isinstance(told.get(n), list))  # fmt: skip
        told = next(inner, [told])
    if not (isinstance(told, list) and told and all(isinstance(row, dict) for row in told)):
        raise InvalidInput("the file holds no list of prompts")
    return told


def _prompt(whole_name: str, found: list[_Read]) -> ImportedPrompt:
    found.sort(key=lambda read: read.number)
    folder, _, last = whole_name.rpartition("/")
    name = _name(last)
    lost = list(dict.fromkeys(entry for read in found for entry in read.lost))
    if name != last:
        lost.append(f"the name {whole_name!r} became {name!r}")
    numbers = [read.number for read in found]
    if numbers != list(range(1, len(numbers) + 1)):
        lost.append(f"versions {numbers} are counted from 1 here")
    kinds = {read.content.kind for read in found}
    if len(kinds) > 1:
        newest = found[-1].content.kind
        found = [read for read in found if read.content.kind == newest]
        lost.append(f"versions that are no {newest} prompt like the newest")
    return ImportedPrompt(
        name,
        "/".join(_folder(part) for part in folder.split("/") if part),
        tuple(dict.fromkeys(tag for read in found for tag in read.tags)),
        tuple(ImportedVersion(r.number, r.content, r.message, r.labels) for r in found),
        tuple(lost),
    )


def _name(text: str) -> str:
    made = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:100]
    return made or "prompt"


def _folder(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text) or "-"


def _label(text: str) -> str:
    made = re.sub(r"[^a-z0-9._-]+", "-", text.lower())[:40]
    return made if re.match("[a-z]", made) else f"l{made}"[:40]


def _labels(names: list[str]) -> tuple[str, ...]:
    """`latest` always means the newest here, and is no label."""
    return tuple(_label(name) for name in names if name != "latest")


# --- Langfuse -----------------------------------------------------------------------------------


def _langfuse(row: JSON) -> _Read:
    lost: list[str] = []
    config = row.get("config") or {}
    if not isinstance(config, dict):
        raise TypeError("config is no object")
    fields = _configured(config, "config", lost)
    prompt = row["prompt"]
    if isinstance(prompt, str):
        content = PromptContent(
            kind="text", syntax="mustache", body=_included(prompt, lost), **fields
        )
    else:
        messages = tuple(_langfuse_message(message, lost) for message in prompt)
        content = PromptContent(kind="chat", syntax="mustache", messages=messages, **fields)
    for name in ("createdAt", "createdBy", "updatedAt", "resolutionGraph"):
        if row.get(name):
            lost.append(name)
    return _Read(
        row["name"], int(row.get("version", 1)), content, row.get("commitMessage") or "",
        _labels(row.get("labels") or []), tuple(row.get("tags") or ()), tuple(lost),
    )  # fmt: skip


def _langfuse_message(message: JSON, lost: list[str]) -> PromptMessage:
    if message.get("type") == "placeholder":
        return PromptMessage(insert=message["name"])
    return _message(message["role"], _included(message["content"], lost), lost)


def _message(role: str, content: str, lost: list[str]) -> PromptMessage:
    known = {"human": "user", "ai": "assistant", "model": "assistant"}.get(role, role)
    if known not in _ROLES:
        lost.append(f"the role {role!r} became 'user'")
        known = "user"
    return PromptMessage.model_validate({"role": known, "content": content})


def _included(text: str, lost: list[str]) -> str:
    """References to other prompts become partials."""

    def partial(found: re.Match[str]) -> str:
        ref = found[3].strip()
        wanted = ref if found[2] == "version" else _label(ref)
        return "{{> " + f"{_name(found[1].strip())}@{wanted}" + " }}"

    if "@@@langfusePrompt" in text and not _REFERENCE.search(text):
        lost.append("a reference to another prompt that could not be read")
    return _REFERENCE.sub(partial, text)


def _configured(config: JSON, where: str, lost: list[str]) -> JSON:
    """Model, parameters, tools and form of the answer out of a free object."""
    fields: JSON = {"params": {}}
    for name, value in config.items():
        if name in ("model", "model_name") and isinstance(value, str):
            fields["model"] = value
        elif name in _PARAMS:
            if value is not None:
                fields["params"][name] = value
        elif name == "stop_sequences":
            fields["params"]["stop"] = value
        elif name == "tools" and isinstance(value, list):
            fields["tools"] = value
        elif name in ("response_schema", "json_schema") and isinstance(value, dict):
            fields["response_schema"] = value.get("schema", value)
        elif name != "provider" or value:
            lost.append(f"{where}.{name}")
    return fields


# --- MLflow -------------------------------------------------------------------------------------

_TEXT, _TYPE = "mlflow.prompt.text", "_mlflow_prompt_type"
_FORMAT, _CONFIG = "_mlflow_prompt_response_format", "_mlflow_prompt_model_config"


def _mlflow(row: JSON) -> _Read:
    lost: list[str] = []
    tags = _mlflow_tags(row.get("tags") or {})
    template = row.get("template", tags.get(_TEXT))
    if template is None:
        raise KeyError("template")
    if isinstance(template, str) and tags.get(_TYPE) == "chat":
        template = json.loads(template)
    config = row.get("model_config") or json.loads(tags.get(_CONFIG, "null")) or {}
    fields = _configured(config, "model_config", lost)
    form = row.get("response_format") or json.loads(tags.get(_FORMAT, "null"))
    if isinstance(form, dict):
        fields["response_schema"] = form
    whole = template if isinstance(template, str) else "".join(m["content"] for m in template)
    fields["syntax"] = "jinja" if "{%" in whole else "mustache"
    if isinstance(template, str):
        content = PromptContent(kind="text", body=template, **fields)
    else:
        messages = tuple(_message(m["role"], m["content"], lost) for m in template)
        content = PromptContent(kind="chat", messages=messages, **fields)
    for name in ("creation_timestamp", "last_updated_timestamp", "user_id"):
        if row.get(name):
            lost.append(name)
    own = {k: v for k, v in tags.items() if not k.startswith(("mlflow.", "_mlflow"))}
    message = row.get("commit_message") or row.get("description") or ""
    return _Read(
        row["name"], int(row.get("version", 1)), content, message,
        _labels(list(row.get("aliases") or [])),
        tuple(f"{name}={value}"[:60] if value else name[:60] for name, value in own.items()),
        tuple(lost),
    )  # fmt: skip


def _mlflow_tags(tags: Any) -> dict[str, str]:
    """A mapping, or a list of keys and values as the registry's REST API writes them."""
    if isinstance(tags, dict):
        return {str(name): str(value) for name, value in tags.items()}
    return {str(tag["key"]): str(tag.get("value", "")) for tag in tags}
