"""Responses for servers that speak it: bytes pass but for the model's name. Knows no socket."""

from __future__ import annotations

from stockpot.providers.base import Ask, Outgoing, UpstreamTarget
from stockpot.providers.model_name import renamed
from stockpot.providers.responses.listen import TypedAnswer


class ResponsesNative:
    """`POST /responses` as the client said it."""

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        body = ask.body if ask.model == target.model else renamed(ask.body, target.model)
        return Outgoing("/responses", (), body)

    def answer(self, ask: Ask, target: UpstreamTarget) -> TypedAnswer:
        return TypedAnswer()
