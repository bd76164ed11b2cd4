"""A pydantic-ai agent, watched by pydantic-ai itself."""

from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from sending import MODEL, provider

with provider("concierge") as tracing:
    Agent.instrument_all(InstrumentationSettings(tracer_provider=tracing))
    agent = Agent(OpenAIChatModel(MODEL), name="concierge", instructions="Be brief.")
    agent.run_sync("Which soup is on today?")

    def scripted(messages, _):
        """The echo model calls no tools, so that one call is written out."""
        if len(messages) == 1:
            return ModelResponse([ToolCallPart("soup_of", {"day": "Monday"})])
        return ModelResponse([TextPart("Leek soup.")])

    asking = Agent(FunctionModel(scripted, model_name="scripted"), name="asking")

    @asking.tool_plain
    def soup_of(day: str) -> str:
        return f"leek soup on {day}"

    asking.run_sync("And on Monday?")
