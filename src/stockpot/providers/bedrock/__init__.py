"""Amazon Bedrock's Converse: the wire to any model that Bedrock serves for conversation."""

from stockpot.providers.bedrock.wire import BedrockWire

__all__ = ["BedrockWire"]
