"""The openai package, watched by opentelemetry-instrumentation-openai (OpenLLMetry)."""

from openai import OpenAI
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from sending import MODEL, provider

with provider("menu-writer") as tracing:
    OpenAIInstrumentor().instrument(tracer_provider=tracing)
    client = OpenAI()
    messages = [
        {"role": "system", "content": "You describe dishes."},
        {"role": "user", "content": "Describe pea soup in one line."},
    ]
    client.chat.completions.create(model=MODEL, messages=messages, temperature=0.3, max_tokens=50)
