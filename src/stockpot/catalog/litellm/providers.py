"""Which provider a deployment is at: vendor, address, and the reference of its secret.

A vendor is told by the prefix of the model (`azure/...`) or by the name of a well-known model. A
secret that stands in the file is not taken over: it is asked for in a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from stockpot.catalog.litellm.findings import Findings
from stockpot.catalog.references import AWS
from stockpot.providers import ROLE_VARIABLES, Vendor, vendors

ENVIRON = "os.environ/"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERTEX = re.compile(r"gemini|gemma|text-(multilingual-)?embedding|publishers/|endpoints/")
"""Models that are asked for at Vertex AI in Gemini's format."""

_VENDORS = {
    "azure": "azure-openai",
    "azure_ai": "openai-compatible",
    "azure_text": "azure-openai",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "custom_openai": "openai-compatible",
    "fireworks_ai": "fireworks",
    "hosted_vllm": "vllm",
    "litellm_proxy": "openai-compatible",
    "llamafile": "llama-cpp",
    "lm_studio": "lm-studio",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "openai_like": "openai-compatible",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai": "vertex",
    "vertex_ai_beta": "vertex",
}
"""Prefixes whose vendor has another name here."""

_BY_MODEL = (
    (re.compile(r"(gpt-|o[1-9]|chatgpt|text-embedding|davinci|ft:gpt)"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini"), "vertex"),
    (re.compile(r"(mistral|codestral|ministral|open-mi)"), "mistral"),
    (re.compile(r"command"), "cohere"),
    (re.compile(r"deepseek"), "deepseek"),
)
"""What a model without a prefix is, by how its name begins."""

_AWS_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_ENDS_WITH = {
    "azure-openai": "/openai/v1",
    "anthropic": "/v1",
    "ollama": "/v1",
    "lm-studio": "/v1",
    "llama-cpp": "/v1",
}
"""How an address ends here that LiteLLM writes without it."""


class Place(NamedTuple):
    """A provider's name here, and the model as the provider calls it."""

    provider: str
    model: str


class Providers:
    """The providers of an import: one for each vendor, address and secret."""

    def __init__(self, findings: Findings, environ: Mapping[str, str]) -> None:
        self._findings = findings
        self._environ = environ
        self._known = {vendor.name: vendor for vendor in vendors()}
        self._names: dict[tuple[str, str, str], str] = {}
        self.made: dict[str, dict[str, Any]] = {}

    def place(self, params: Mapping[str, Any], path: str) -> Place | None:
        """Where a deployment is; None, with a finding, when it cannot be here."""
        name = str(params.get("model") or "")
        custom = str(params.get("custom_llm_provider") or "")
        vendor_name, model = self._vendor_of(name, custom)
        base = self._address(params, path)
        if base is None:
            return None
        if vendor_name == "openai" and base:
            vendor_name = "openai-compatible"
        vendor = self._known.get(vendor_name) if vendor_name else None
        if vendor is None and base:
            vendor = self._known["openai-compatible"]
            self._findings.remark(path, f"{name!r} is taken for an OpenAI-compatible server")
        if vendor is None:
            told = f"no vendor {vendor_name!r} is known here" if vendor_name else "names no vendor"
            self._findings.lost(f"{path}.model", f"{name!r}: {told}")
            return None
        address = self._own_address(vendor, base, params, path)
        if address is None or not self._servable(vendor, model, path):
            return None
        secret = self._secret(vendor, params, path)
        return Place(self._named(vendor, address, secret), model)

    def _servable(self, vendor: Vendor, model: str, path: str) -> bool:
        """Whether there can be such a target; with a finding when not."""
        told = ""
        if not 0 < len(model) <= 200:
            told = "no name of a model"
        elif vendor.name == "vertex" and model != "*" and not _VERTEX.match(model):
            told = "of Vertex AI, models that speak Gemini's format alone are served"
        if told:
            self._findings.lost(f"{path}.model", f"{model!r:.60}: {told}")
        return not told

    def _vendor_of(self, name: str, custom: str) -> tuple[str, str]:
        prefix, slash, rest = name.partition("/")
        if custom:
            model = rest if slash and prefix == custom else name
            return _VENDORS.get(custom, custom), model
        mapped = _VENDORS.get(prefix, prefix)
        if slash and (mapped in self._known or prefix in _VENDORS):
            if mapped == "bedrock":
                rest = rest.removeprefix("converse/").removeprefix("invoke/")
            return mapped, rest
        for pattern, vendor in _BY_MODEL:
            if pattern.match(name) and not slash:
                return vendor, name
        return (mapped, rest) if slash else ("", name)

    def _address(self, params: Mapping[str, Any], path: str) -> str | None:
        """The address as it is given; '' for none, None when it cannot be told."""
        for key in ("api_base", "base_url"):
            given = str(params.get(key) or "")
            if given.startswith(ENVIRON):
                variable = given.removeprefix(ENVIRON)
                if not (given := self._environ.get(variable, "")):
                    told = f"set {variable!r} and import again: an address is no reference here"
                    self._findings.lost(f"{path}.{key}", told)
                    return None
            if given:
                return given.rstrip("/")
        return ""

    def _own_address(
        self, vendor: Vendor, base: str, params: Mapping[str, Any], path: str
    ) -> str | None:
        if vendor.name == "bedrock" and not base and (region := params.get("aws_region_name")):
            if str(region).startswith(ENVIRON):
                region = self._environ.get(str(region).removeprefix(ENVIRON), "us-east-1")
                self._findings.remark(f"{path}.aws_region_name", f"taken for {region!r}")
            return f"https://bedrock-runtime.{region}.amazonaws.com"
        if vendor.name == "vertex" and not base and (place := params.get("vertex_location")):
            if str(place).startswith(ENVIRON):
                place = self._environ.get(str(place).removeprefix(ENVIRON), "global")
                self._findings.remark(f"{path}.vertex_location", f"taken for {place!r}")
            host = "" if place == "global" else f"{place}-"
            return f"https://{host}aiplatform.googleapis.com/v1"
        if vendor.name == "azure-openai" and not base:
            self._findings.lost(f"{path}.api_base", "the address of the resource is needed")
            return None
        end = _ENDS_WITH.get(vendor.name, "")
        if base and not base.endswith(end):
            if end == "/openai/v1":
                base = base.partition("/openai")[0]
            return base + end
        return base

    def _secret(self, vendor: Vendor, params: Mapping[str, Any], path: str) -> str:
        given = str(params.get("api_key") or params.get("aws_bearer_token_bedrock") or "")
        if vendor.name == "vertex" and not given:
            given = self._vertex(params, path)
            if given.startswith("file:"):
                return given
        if given.startswith(ENVIRON):
            if VARIABLE.fullmatch(named := given.removeprefix(ENVIRON)):
                return f"env:{named}"
            self._findings.lost(f"{path}.api_key", f"{named!r} is no name of a variable")
            given = ""
        variable = vendor.env or f"{vendor.name.upper().replace('-', '_')}_API_KEY"
        if vendor.name == "openai-compatible":
            variable = "OPENAI_API_KEY"
        if not vendor.needs_secret:
            return ""
        if given:
            self._findings.remark(
                f"{path}.api_key",
                f"a secret stands in the file; put it into the variable {variable} instead",
            )
        keys = [key for key in _AWS_KEYS if key in params]
        for key in keys:
            if params[key] != ENVIRON + key.upper():
                self._findings.remark(
                    f"{path}.{key}", f"it is taken from the variable {key.upper()} instead"
                )
        if vendor.name == "bedrock" and not keys and not given:
            return f"env:{self._of_aws(variable, path)}"
        return f"env:{AWS if keys else variable}"

    def _of_aws(self, variable: str, path: str) -> str:
        """Without a key AWS's tools look around; so does this, where the import runs."""
        ways = (variable, AWS, *sorted(ROLE_VARIABLES))
        found = next((way for way in ways if self._environ.get(way)), variable)
        told = f"no key is given: taken from {found}; or name one of {', '.join(ways)}"
        self._findings.remark(f"{path}.model", told)
        return found

    def _vertex(self, params: Mapping[str, Any], path: str) -> str:
        """Where the key of a service account is: its file, or a variable that holds its JSON."""
        if "vertex_project" in params:
            told = "the project of the service account counts"
            self._findings.remark(f"{path}.vertex_project", told)
        given = str(params.get("vertex_credentials") or "")
        if given.startswith("/"):
            return f"file:{given}"
        if given.startswith(ENVIRON):
            told = "the variable holds the key's JSON here, not the path of a file"
            self._findings.remark(f"{path}.vertex_credentials", told)
            return given
        if given:
            told = "give the whole path of the key's file, or a variable with its JSON"
            self._findings.lost(f"{path}.vertex_credentials", told)
        return ""

    def _named(self, vendor: Vendor, address: str, secret: str) -> str:
        identity = (vendor.name, address, secret)
        if identity not in self._names:
            name = _name_for(vendor, address)
            taken, number, first = set(self._names.values()), 1, name
            while name in taken:
                number += 1
                name = f"{first}-{number}"
            self._names[identity] = name
            fields = {"vendor": vendor.name, "base_url": address, "secret": secret}
            self.made[name] = {key: value for key, value in fields.items() if value}
        return self._names[identity]


def _name_for(vendor: Vendor, address: str) -> str:
    """A vendor's own name, or for a server of one's own that of its host."""
    if vendor.name != "openai-compatible" or not address:
        return vendor.name
    host = (urlsplit(address).hostname or "server").lower()
    return re.sub(r"[^a-z0-9._-]", "-", host)[:60].strip("-._") or "server"
