"""Citations and grounding, both ways. Knows where evidence stands; knows no stream.

Gemini counts offsets in bytes of UTF-8, the canonical form in characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stockpot.providers.canon import JSON, Citation
from stockpot.providers.gemini.answer import Candidate, Evidence, Place


class Found(NamedTuple):
    """A citation of the part `part` of a content; `start` and `end` are bytes."""

    part: int
    start: int
    end: int
    citation: Citation


def found(candidate: Candidate) -> Iterator[Found]:
    """Everything that a candidate cites."""
    if (said := candidate.citationMetadata) is not None:
        for source in (*(said.citations or ()), *(said.citationSources or ())):
            citation = Citation(url=source.uri, title=source.title)
            yield Found(0, source.startIndex, source.endIndex, citation)
    grounding = candidate.groundingMetadata
    if grounding is None:
        return
    chunks = grounding.groundingChunks or []
    for support in grounding.groundingSupports or ():
        segment = support.segment
        for number in support.groundingChunkIndices or ():
            if segment is not None and number < len(chunks):
                citation = _evidence(chunks[number])
                yield Found(segment.partIndex, segment.startIndex, segment.endIndex, citation)


def _evidence(chunk: Evidence) -> Citation:
    place = chunk.web or chunk.maps or chunk.retrievedContext or Place()
    return Citation(url=place.uri, title=place.title, quote=place.text)


def in_characters(one: Found, text: str) -> Citation:
    """The citation with offsets in characters of its part's text."""
    raw = text.encode("utf-8")
    start, end = (len(raw[:at].decode("utf-8", "ignore")) for at in (one.start, one.end))
    said = one.citation
    return Citation(url=said.url, title=said.title, quote=said.quote, start=start, end=end)


def grounding_of(cited: list[tuple[int, str, Citation]]) -> JSON:
    """`groundingMetadata` of citations: the part of the content, its text, the citation."""
    chunks: list[JSON] = []
    supports: list[JSON] = []
    for part, text, citation in cited:
        chunk = _chunk(citation)
        if chunk not in chunks:
            chunks.append(chunk)
        support: JSON = {"groundingChunkIndices": [chunks.index(chunk)]}
        if citation.start is not None and citation.end is not None:
            support["segment"] = _segment(part, text, citation.start, citation.end)
        else:
            support["segment"] = _segment(part, text, 0, len(text))
        supports.append(support)
    return {"groundingChunks": chunks, "groundingSupports": supports}


def _chunk(citation: Citation) -> JSON:
    if citation.url and not citation.quote:
        said = {"uri": citation.url, "title": citation.title}
        return {"web": {name: value for name, value in said.items() if value}}
    said = {
        "uri": citation.url,
        "title": citation.title or citation.source,
        "text": citation.quote,
    }
    return {"retrievedContext": {name: value for name, value in said.items() if value}}


def _segment(part: int, text: str, start: int, end: int) -> JSON:
    return {
        "partIndex": part,
        "startIndex": len(text[:start].encode("utf-8")),
        "endIndex": len(text[:end].encode("utf-8")),
        "text": text[start:end],
    }
