"""The vendors' stand-ins behind one face: which scene they play, and what reached them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any, Protocol

from stockpot.gateway import Target
from tests.integration.conformance.seen import (
    seen_by_anthropic,
    seen_by_bedrock,
    seen_by_gemini,
    seen_by_openai,
)
from tests.integration.conformance.talk import Seen
from tests.vendors import anthropic_stub, bedrock_stub, gemini_stub, openai_stub
from tests.vendors.azure_stub import AzureStub


@dataclass(frozen=True)
class Scene:
    """What an upstream answers: `status` is of an error, `ends` how a stream goes wrong."""

    text: str = ""
    reasoning: str = ""
    proof: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    finish: str = "stop"
    input: int = 11
    output: int = 5
    cached: int = 0
    status: int = 200
    ends: str = ""


KETTLE = "The kettle is on."
THOUGHT = "Water boils at 100 °C."
PROOF = "c2lnbmF0dXJl"
SCRIPT: dict[str, Scene] = {
    "text": Scene(KETTLE),
    "unicode": Scene('Zażółć 🦉 "quoted" \\ back\n\nnew {"x": [1]} data: [DONE]'),
    "tool": Scene(calls=(("weather", {"city": "Kraków", "days": 3}),), finish="tool_calls"),
    "tools": Scene(
        "Let me look.",
        calls=(("weather", {"city": 'a "b"\nc', "days": 3}), ("clock", {})),
        finish="tool_calls",
    ),
    "reasoning": Scene(KETTLE, THOUGHT, PROOF),
    "json": Scene('{"pot": "stock", "litres": 4}'),
    "length": Scene("The kettle is", finish="length"),
    "refused": Scene("", finish="refused"),
    "empty": Scene(""),
    "cached": Scene(KETTLE, input=2011, cached=2000),
    "error_400": Scene(status=400),
    "error_401": Scene(status=401),
    "error_429": Scene(status=429),
    "error_500": Scene(status=500),
    "late_error": Scene(KETTLE, ends="error"),
    "cut": Scene(KETTLE, ends="cut"),
}
"""What every upstream is told to say, as far as its stand-in can be told."""


class Upstream(Protocol):
    name: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def target(self, scene: str) -> Target:
        """A target that plays the scene."""
        ...

    def scene(self, name: str) -> Scene:
        """What this one says in a scene."""
        ...

    def mark(self, scene: str) -> str:
        """What the last user's text must hold to have the scene played."""
        ...

    def seen(self) -> Seen:
        """The last request."""
        ...


def _target(name: str, scene: str, **fields: Any) -> Target:
    return Target(id=f"{name}.{scene}", provider=name, **fields)


class OpenAI:
    """Reasoning is `reasoning_content`, as DeepSeek and vLLM send it; it has no proof."""

    name = "openai"

    def __init__(self) -> None:
        self.stub: openai_stub.OpenAIStub = openai_stub.OpenAIStub(returns_reasoning=True)

    def start(self) -> None:
        for name, scene in SCRIPT.items():
            self.stub.behaviours[f"m-{name}"] = [self._behaviour(scene)]
        self.stub.__enter__()

    def stop(self) -> None:
        self.stub.__exit__()

    def _behaviour(self, scene: Scene) -> openai_stub.Behaviour:
        message: dict[str, Any] = {}
        if scene.reasoning:
            message["reasoning_content"] = scene.reasoning
        if scene.calls:
            message["content"] = scene.text or None
            message["tool_calls"] = [
                {
                    "id": f"call_{number}",
                    "type": "function",
                    "function": {"name": name, "arguments": openai_stub.json.dumps(arguments)},
                }
                for number, (name, arguments) in enumerate(scene.calls)
            ]
        bill: dict[str, Any] = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
        if scene.cached:
            bill |= {"prompt_tokens": 2011, "total_tokens": 2016}
            bill["prompt_tokens_details"] = {"cached_tokens": scene.cached}
        if scene.finish == "refused":
            message |= {"content": None, "refusal": "I can't help with that."}
        finish = "stop" if scene.finish == "refused" else scene.finish
        return openai_stub.Behaviour(
            status=scene.status,
            text=scene.text,
            message=message,
            finish=finish,
            bill=bill,
            error_in_stream="overloaded" if scene.ends == "error" else "",
            cut_after=3 if scene.ends == "cut" else None,
        )

    def target(self, scene: str) -> Target:
        headers = (("authorization", f"Bearer {openai_stub.VENDOR_KEY}"),)
        return _target(
            self.name, scene, wire="openai", base_url=self.stub.url, model=f"m-{scene}",
            headers=headers,
        )  # fmt: skip

    def scene(self, name: str) -> Scene:
        scene = SCRIPT[name]
        return Scene(KETTLE, THOUGHT) if name == "reasoning" else scene

    def mark(self, scene: str) -> str:
        return ""

    def seen(self) -> Seen:
        return seen_by_openai(self.stub.requests[-1])


class Azure(OpenAI):
    name = "azure"

    def __init__(self) -> None:
        self.stub = AzureStub(
            deployments=tuple(f"m-{name}" for name in SCRIPT), returns_reasoning=True
        )

    def target(self, scene: str) -> Target:
        assert isinstance(self.stub, AzureStub)
        return _target(
            self.name, scene, wire="azure-openai", base_url=self.stub.resource,
            model=f"m-{scene}", headers=(("api-key", openai_stub.VENDOR_KEY),),
        )  # fmt: skip


class Anthropic:
    name = "anthropic"

    def __init__(self) -> None:
        self.stub = anthropic_stub.AnthropicStub()

    def start(self) -> None:
        for name, scene in SCRIPT.items():
            anthropic_stub.SCENES[f"play_{name}"] = self._scene(scene)
        self.stub.__enter__()

    def stop(self) -> None:
        self.stub.__exit__()

    def _scene(self, scene: Scene) -> anthropic_stub.Scene:
        blocks: list[dict[str, Any]] = []
        if scene.reasoning:
            said = {"thinking": scene.reasoning, "signature": scene.proof}
            blocks.append({"type": "thinking", **said})
        if scene.text:
            blocks.append({"type": "text", "text": scene.text})
        for number, (name, arguments) in enumerate(scene.calls):
            use = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
            blocks.append(use)
        usage: dict[str, Any] = {"input_tokens": 11, "output_tokens": 5}
        if scene.cached:
            usage |= {"cache_read_input_tokens": scene.cached, "cache_creation_input_tokens": 0}
        reasons = {"tool_calls": "tool_use", "length": "max_tokens", "refused": "refusal"}
        kinds = {400: "invalid_request_error", 401: "authentication_error"}
        kinds |= {429: "rate_limit_error", 500: "api_error"}
        refused = None
        if scene.status >= 400:
            refused = anthropic_stub.Refused(scene.status, kinds[scene.status], "as told")
        return anthropic_stub.Scene(
            tuple(blocks),
            reasons.get(scene.finish, "end_turn"),
            usage=usage,
            refused=refused,
            fails_after=4 if scene.ends == "error" else None,
            broken_after=4 if scene.ends == "cut" else None,
        )

    def target(self, scene: str) -> Target:
        return _target(
            self.name, scene, wire="anthropic", base_url=self.stub.url, model="claude-sonnet-4-5",
            headers=(("x-api-key", anthropic_stub.VENDOR_KEY),),
        )  # fmt: skip

    def scene(self, name: str) -> Scene:
        return SCRIPT[name]

    def mark(self, scene: str) -> str:
        return f"#play_{scene}"

    def seen(self) -> Seen:
        return seen_by_anthropic(self.stub.requests[-1])


GEMINI_PROOF = base64.b64encode(gemini_stub.SIGNATURE).decode()
GEMINI_CALLS = (("weather", {"city": "Łódź", "days": 2}), ("weather", {"city": "Ulm"}))
GEMINI_SCENES = {
    "text": ("text", Scene(gemini_stub.TEXT)),
    "unicode": ("text", Scene(gemini_stub.TEXT)),
    "empty": ("empty", Scene("")),
    "tool": ("call", Scene(calls=GEMINI_CALLS[:1], finish="tool_calls")),
    "tools": (
        "tools",
        Scene(calls=GEMINI_CALLS, proof=GEMINI_PROOF, finish="tool_calls"),
    ),
    "reasoning": ("thoughts", Scene(gemini_stub.TEXT, gemini_stub.THOUGHT, output=14)),
    "json": ("json", Scene('{"pot": "stock", "litres": 4}')),
    "length": ("long", Scene(gemini_stub.TEXT, finish="length")),
    "refused": ("blocked", Scene("", finish="refused", output=0)),
    "cached": ("cached", Scene(gemini_stub.TEXT, input=2030, output=30, cached=1500)),
    "error_400": ("error-400", Scene(status=400)),
    "error_401": ("error-401", Scene(status=401)),
    "error_429": ("error-429", Scene(status=429)),
    "error_500": ("error-500", Scene(status=500)),
    "late_error": ("broken", Scene(ends="error")),
    "cut": ("cut", Scene(ends="cut")),
}


class Gemini:
    """Its stand-in has scenes of its own."""

    name = "gemini"

    def __init__(self) -> None:
        self.stub = gemini_stub.GeminiStub()

    def start(self) -> None:
        self.stub.__enter__()

    def stop(self) -> None:
        self.stub.__exit__()

    def target(self, scene: str) -> Target:
        return _target(
            self.name, scene, wire="gemini", base_url=self.stub.url, model="gemini-2.5-flash",
            headers=(("x-goog-api-key", gemini_stub.VENDOR_KEY),),
        )  # fmt: skip

    def scene(self, name: str) -> Scene:
        return GEMINI_SCENES[name][1]

    def mark(self, scene: str) -> str:
        return f"[{GEMINI_SCENES[scene][0]}]"

    def seen(self) -> Seen:
        return seen_by_gemini(self.stub.requests[-1].body)


class Bedrock:
    """Its stand-in has one bill for all answers."""

    name = "bedrock"

    def __init__(self) -> None:
        self.stub = bedrock_stub.BedrockStub()

    def start(self) -> None:
        for name, scene in SCRIPT.items():
            self.stub.behaviours[self._model(name)] = self._behaviour(scene)
        self.stub.__enter__()

    def stop(self) -> None:
        self.stub.__exit__()

    def _model(self, scene: str) -> str:
        return f"anthropic.claude-sonnet-4-5-20250929-v1:0.{scene}".replace("_", "-")

    def _behaviour(self, scene: Scene) -> bedrock_stub.Behaviour:
        blocks: list[dict[str, Any]] = []
        if scene.reasoning:
            said = {"text": scene.reasoning, "signature": scene.proof}
            blocks.append({"reasoningContent": {"reasoningText": said}})
        if scene.text:
            blocks.append({"text": scene.text})
        for number, (name, arguments) in enumerate(scene.calls):
            use = {"toolUseId": f"tooluse_{number}", "name": name, "input": arguments}
            blocks.append({"toolUse": use})
        stops = {"tool_calls": "tool_use", "length": "max_tokens", "refused": "content_filtered"}
        return bedrock_stub.Behaviour(
            tuple(blocks),
            stops.get(scene.finish, "end_turn"),
            status=scene.status,
            failure="overloaded" if scene.ends == "error" else "",
            cut_after=3 if scene.ends == "cut" else None,
        )

    def target(self, scene: str) -> Target:
        options = {
            "access_key_id": bedrock_stub.ACCESS_KEY,
            "secret_access_key": bedrock_stub.SECRET_KEY,
            "region": bedrock_stub.REGION,
        }
        return _target(
            self.name, scene, wire="bedrock", base_url=self.stub.url, model=self._model(scene),
            options=options,
        )  # fmt: skip

    def scene(self, name: str) -> Scene:
        return replace(SCRIPT[name], input=37, cached=20)

    def mark(self, scene: str) -> str:
        return ""

    def seen(self) -> Seen:
        return seen_by_bedrock(self.stub.requests[-1])


UPSTREAMS: tuple[type[Upstream], ...] = (OpenAI, Anthropic, Gemini, Bedrock, Azure)
