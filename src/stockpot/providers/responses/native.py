"""Responses for servers that speak it: bytes pass but for the model's name. Knows no socket."""

from __future__ import annotations

from stockpot.providers.base import Ask, Outgoing, UpstreamTarget
from stockpot.providers.model_name import named
from stockpot.providers.responses.listen import TypedAnswer


class ResponsesNative:
    """`POST /responses` as the client said it."""

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        return Outgoing("/responses", (), named(ask.body, ask.model, target.model))

    def answer(self, ask: Ask, target: UpstreamTarget) -> TypedAnswer:
        return TypedAnswer()
