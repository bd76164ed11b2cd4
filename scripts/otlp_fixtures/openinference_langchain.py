"""A LangChain chain with a tool, watched by openinference-instrumentation-langchain."""

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation import using_session
from openinference.instrumentation.langchain import LangChainInstrumentor
from sending import MODEL, provider


@tool
def price_of(dish: str) -> str:
    """The price of a dish."""
    return f"{dish} costs 6.50"


with provider("waiter") as tracing:
    LangChainInstrumentor().instrument(tracer_provider=tracing)
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You are a waiter. {price}"), ("user", "Tell me about {dish}.")]
    )
    look_up = RunnableLambda(lambda asked: {**asked, "price": price_of.invoke(asked["dish"])})
    chain = look_up | prompt | ChatOpenAI(model=MODEL, temperature=0)
    with using_session("table-8"):
        chain.invoke({"dish": "leek soup"})
