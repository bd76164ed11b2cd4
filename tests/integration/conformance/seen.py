"""What a vendor's stand-in received, read in that vendor's own words."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from tests.integration.conformance.talk import Seen

JSON = dict[str, Any]


def _plain(content: Any) -> str:
    """The text of a content that is a string or an array of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def seen_by_openai(body: JSON) -> Seen:
    seen = Seen(
        most=body.get("max_completion_tokens", body.get("max_tokens")),
        stop=_listed(body.get("stop")),
        temperature=body.get("temperature"),
        thinks=body.get("reasoning_effort") not in (None, "none"),
        tools=[tool["function"]["name"] for tool in body.get("tools", [])],
    )
    choice = body.get("tool_choice") or ""
    seen.choice = choice["function"]["name"] if isinstance(choice, dict) else choice
    seen.schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    for message in body["messages"]:
        _openai_message(message, seen)
    return seen


def _openai_message(message: JSON, seen: Seen) -> None:
    role, content = message["role"], message.get("content")
    text = _plain(content)
    if role in ("system", "developer"):
        seen.system += text
    elif role == "tool":
        seen.results.append((text, False))
    elif text:
        seen.texts.append((role, text))
    for part in content if isinstance(content, list) else []:
        if part["type"] == "image_url":
            seen.images.append(part["image_url"]["url"].rpartition("base64,")[2])
        elif part["type"] == "file":
            seen.documents.append(part["file"]["file_data"].rpartition("base64,")[2])
    if "reasoning_content" in message:
        seen.thoughts.append(message["reasoning_content"])
    for call in message.get("tool_calls") or []:
        function = call["function"]
        seen.calls.append((function["name"], json.loads(function["arguments"])))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def seen_by_anthropic(body: JSON) -> Seen:
    seen = Seen(
        system=_plain(body.get("system")),
        most=body["max_tokens"],
        stop=body.get("stop_sequences", []),
        temperature=body.get("temperature"),
        thinks=body.get("thinking", {}).get("type") in ("enabled", "adaptive"),
        tools=[tool["name"] for tool in body.get("tools", [])],
        schema=(body.get("output_config") or {}).get("format", {}).get("schema"),
    )
    choice = body.get("tool_choice") or {}
    kind = {"any": "required", "tool": choice.get("name", "")}.get(choice.get("type", ""))
    seen.choice = kind if kind is not None else choice.get("type", "")
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        text = "".join(block["text"] for block in blocks if block["type"] == "text")
        if text:
            seen.texts.append((message["role"], text))
        for block in blocks:
            _anthropic_block(block, seen)
    return seen


def _anthropic_block(block: JSON, seen: Seen) -> None:
    kind = block["type"]
    if kind == "image":
        source = block["source"]
        seen.images.append(source.get("data") or source["url"])
    elif kind == "document":
        seen.documents.append(block["source"]["data"])
    elif kind == "tool_use":
        seen.calls.append((block["name"], block["input"]))
    elif kind == "tool_result":
        seen.results.append((_plain(block["content"]), bool(block.get("is_error"))))
    elif kind == "thinking":
        seen.proofs.append(block["signature"])
        seen.thoughts.append(block["thinking"])


def seen_by_gemini(body: JSON) -> Seen:
    body = _camel(body)
    config = body.get("generationConfig", {})
    thinking = config.get("thinkingConfig", {})
    seen = Seen(
        system=_plain(body.get("systemInstruction", {}).get("parts", [])),
        most=config.get("maxOutputTokens"),
        stop=config.get("stopSequences", []),
        temperature=config.get("temperature"),
        thinks=bool(thinking.get("thinkingBudget") or thinking.get("thinkingLevel")),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
    )
    for tool in body.get("tools", []):
        seen.tools += [declared["name"] for declared in tool.get("functionDeclarations", [])]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    named = calling.get("allowedFunctionNames")
    modes = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
    seen.choice = named[0] if named else modes.get(calling.get("mode", ""), "")
    for content in body["contents"]:
        role = "assistant" if content.get("role") == "model" else "user"
        said = [p for p in content["parts"] if "text" in p and not p.get("thought")]
        text = "".join(part["text"] for part in said)
        if text:
            seen.texts.append((role, text))
        for part in content["parts"]:
            _gemini_part(part, seen)
    return seen


_FREE = ("args", "response", "parameters", "parametersJsonSchema", "responseSchema")
_FREE += ("responseJsonSchema",)


def _camel(value: Any) -> Any:
    """Google takes names with underscores too, and null for what is left out."""
    if isinstance(value, list):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub("_(.)", lambda found: found[1].upper(), k): v for k, v in value.items()}
    return {k: v if k in _FREE else _camel(v) for k, v in named.items() if v is not None}


def _gemini_part(part: JSON, seen: Seen) -> None:
    media = part.get("inlineData") or part.get("fileData")
    if media is not None:
        data = media.get("data")
        found = base64.b64encode(_bytes(data)).decode() if data else media["fileUri"]
        (seen.images if media["mimeType"].startswith("image/") else seen.documents).append(found)
    if "functionCall" in part:
        seen.calls.append((part["functionCall"]["name"], part["functionCall"].get("args", {})))
    if "functionResponse" in part:
        response = part["functionResponse"]["response"]
        failed = "error" in response
        seen.results.append((str(next(iter(response.values()))), failed))
    if part.get("thought"):
        seen.thoughts.append(part.get("text", ""))
    if "thoughtSignature" in part:
        seen.proofs.append(base64.b64encode(_bytes(part["thoughtSignature"])).decode())


def _bytes(text: str) -> bytes:
    """Google takes both alphabets of base64."""
    return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))


def seen_by_bedrock(body: JSON) -> Seen:
    config = body.get("inferenceConfig", {})
    more = body.get("additionalModelRequestFields", {})
    seen = Seen(
        system=_plain(body.get("system", [])),
        most=config.get("maxTokens"),
        stop=config.get("stopSequences", []),
        temperature=config.get("temperature"),
        thinks=more.get("thinking", {}).get("type") in ("enabled", "adaptive"),
    )
    tools = body.get("toolConfig", {})
    seen.tools = [t["toolSpec"]["name"] for t in tools.get("tools", []) if "toolSpec" in t]
    choice = tools.get("toolChoice", {})
    if "tool" in choice:
        seen.choice = choice["tool"]["name"]
    else:
        seen.choice = {"any": "required"}.get(next(iter(choice), ""), next(iter(choice), ""))
    structure = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {})
    if structure:
        seen.schema = json.loads(structure["jsonSchema"]["schema"])
    for message in body["messages"]:
        text = "".join(block.get("text", "") for block in message["content"])
        if text:
            seen.texts.append((message["role"], text))
        for block in message["content"]:
            _bedrock_block(block, seen)
    return seen


def _bedrock_block(block: JSON, seen: Seen) -> None:
    if "image" in block:
        seen.images.append(block["image"]["source"]["bytes"])
    elif "document" in block:
        seen.documents.append(block["document"]["source"]["bytes"])
    elif "toolUse" in block:
        seen.calls.append((block["toolUse"]["name"], block["toolUse"]["input"]))
    elif "toolResult" in block:
        result = block["toolResult"]
        seen.results.append((_plain(result["content"]), result.get("status") == "error"))
    elif "reasoningContent" in block:
        said = block["reasoningContent"]["reasoningText"]
        seen.proofs.append(said.get("signature", ""))
        seen.thoughts.append(said["text"])
