"""Where a case does not pass: what is left out aloud, or refused. A row is a claim that is tested.

A row that is not needed fails too, so that this table cannot promise less than is kept.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stated:
    """`left_out` are the fields in the answer's header, `refused` a part of the error's message;
    `lost` says that what the case looks for is what is left out."""

    left_out: frozenset[str] = frozenset()
    refused: str = ""
    lost: bool = False


def _leaves_out(*fields: str, lost: bool = False) -> Stated:
    return Stated(frozenset(fields), lost=lost)


_BUDGET = "thinking.budget"  # OpenAI's format has efforts only
_SHOWN = "thinking.show"  # and no word for what is shown of reasoning
_REASONING = "reasoning"  # nor does OpenAI take reasoning back
_ERROR = "tool_result.is_error"  # nor does it mark results that are errors
_OPENAI = ("openai", "azure")

_ROWS: dict[tuple[str, str, str], Stated] = {
    ("image by URL", "*", "bedrock"): Stated(refused="bedrock cannot take all of this request"),
    ("document", "openai", "gemini"): _leaves_out("filename"),
    ("document", "anthropic", "gemini"): _leaves_out("filename"),
}
for _where in _OPENAI:
    for _who, _asked in (("anthropic", (_BUDGET,)), ("gemini", (_BUDGET, _SHOWN))):
        _ROWS["result that is an error", _who, _where] = _leaves_out(_ERROR, lost=True)
        _ROWS["reasoning", _who, _where] = _leaves_out(*_asked)
        _back = _leaves_out(*_asked, _REASONING, lost=True)
        _ROWS["reasoning handed back", _who, _where] = _back


def stated(case: str, client: str, upstream: str) -> Stated:
    """The row for a case; '*' stands for every client or every upstream."""
    for who in (client, "*"):
        for where in (upstream, "*"):
            if (found := _ROWS.get((case, who, where))) is not None:
                return found
    return Stated()
