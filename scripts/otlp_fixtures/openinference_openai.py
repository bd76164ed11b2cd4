"""The openai package, watched by openinference-instrumentation-openai."""

from openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from sending import MODEL, provider

with provider("menu-writer") as tracing:
    OpenAIInstrumentor().instrument(tracer_provider=tracing)
    client = OpenAI()
    messages = [
        {"role": "system", "content": "You describe dishes."},
        {"role": "user", "content": "Describe leek soup in one line."},
    ]
    with using_attributes(session_id="table-7", user_id="guest-3", tags=["lunch"]):
        client.chat.completions.create(model=MODEL, messages=messages, temperature=0.3)
        stream = client.chat.completions.create(
            model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
        )
        for _ in stream:
            pass
