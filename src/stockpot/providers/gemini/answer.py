# ruff: noqa: N815 - these are Google's names, as they stand in its JSON
"""What Gemini's answers hold, as far as it is read. Knows fields; knows no meaning of theirs."""

from __future__ import annotations

import msgspec


class Blob(msgspec.Struct):
    mimeType: str = ""
    data: str = ""


class Call(msgspec.Struct):
    """`args` stay as the model wrote them."""

    name: str = ""
    id: str = ""
    args: msgspec.Raw = msgspec.Raw(b"{}")


class Code(msgspec.Struct):
    """Code that Google ran, or what came out."""

    language: str = ""
    code: str = ""
    output: str = ""


class Part(msgspec.Struct):
    text: str | None = None
    thought: bool | None = None
    thoughtSignature: str = ""
    functionCall: Call | None = None
    inlineData: Blob | None = None
    executableCode: Code | None = None
    codeExecutionResult: Code | None = None


class Content(msgspec.Struct):
    parts: list[Part] | None = None


class Source(msgspec.Struct):
    """Of `citationMetadata`. Offsets are bytes of the answer's text."""

    startIndex: int = 0
    endIndex: int = 0
    uri: str = ""
    title: str = ""


class CitationMetadata(msgspec.Struct):
    citations: list[Source] | None = None
    citationSources: list[Source] | None = None


class Place(msgspec.Struct):
    """Where a piece of evidence is: a page of the web, or a document that was searched."""

    uri: str = ""
    title: str = ""
    text: str = ""


class Evidence(msgspec.Struct):
    web: Place | None = None
    retrievedContext: Place | None = None
    maps: Place | None = None


class Segment(msgspec.Struct):
    """Offsets are bytes of the part's text."""

    startIndex: int = 0
    endIndex: int = 0
    partIndex: int = 0


class Support(msgspec.Struct):
    segment: Segment | None = None
    groundingChunkIndices: list[int] | None = None


class GroundingMetadata(msgspec.Struct):
    groundingChunks: list[Evidence] | None = None
    groundingSupports: list[Support] | None = None
    webSearchQueries: list[str] | None = None


class Candidate(msgspec.Struct):
    content: Content | None = None
    finishReason: str = ""
    index: int = 0
    citationMetadata: CitationMetadata | None = None
    groundingMetadata: GroundingMetadata | None = None


class PromptFeedback(msgspec.Struct):
    blockReason: str = ""


class Modality(msgspec.Struct):
    modality: str = ""
    tokenCount: int = 0


class UsageMetadata(msgspec.Struct):
    promptTokenCount: int = 0
    candidatesTokenCount: int = 0
    thoughtsTokenCount: int = 0
    toolUsePromptTokenCount: int = 0
    cachedContentTokenCount: int = 0
    promptTokensDetails: list[Modality] | None = None
    candidatesTokensDetails: list[Modality] | None = None
    cacheTokensDetails: list[Modality] | None = None
    toolUsePromptTokensDetails: list[Modality] | None = None
    trafficType: str = ""
    serviceTier: str = ""


class Problem(msgspec.Struct):
    message: str = ""
    status: str = ""
    code: int = 0
    details: list[msgspec.Raw] | None = None


class Chunk(msgspec.Struct):
    """A whole answer, or one object of a streamed one."""

    candidates: list[Candidate] | None = None
    promptFeedback: PromptFeedback | None = None
    usageMetadata: UsageMetadata | None = None
    modelVersion: str = ""
    responseId: str = ""
    error: Problem | None = None
