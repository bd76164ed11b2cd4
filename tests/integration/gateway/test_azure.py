"""Azure OpenAI behind the gateway: both forms of its paths, both credentials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from stockpot.gateway import Target
from tests.integration.gateway.conftest import SECRET, Rig
from tests.vendors.azure_stub import ENTRA_TOKEN, AzureStub
from tests.vendors.openai_stub import VENDOR_KEY

pytestmark = pytest.mark.integration

KEY = (("api-key", VENDOR_KEY),)
ENTRA = (("authorization", f"Bearer {ENTRA_TOKEN}"),)


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Rig]:
    with AzureStub() as stub:
        rig = Rig(tmp_path, stub)
        yield rig
        log = rig.stop()
    assert "Traceback" not in log, log


def target(rig: Rig, **changes: Any) -> Target:
    assert isinstance(rig.stub, AzureStub)
    given = {"wire": "azure-openai", "base_url": rig.stub.resource, "headers": KEY, **changes}
    return rig.target("gpt-4o-eu", **given)


def ask(rig: Rig, **more: Any) -> Any:
    with openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0) as sdk:
        answer: Any = sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "hello"}], **more
        )
        return list(answer) if more.get("stream") else answer


@pytest.mark.parametrize("headers", [KEY, ENTRA], ids=["api-key", "entra"])
@pytest.mark.parametrize(
    ("form", "options", "path"),
    [
        ("", {}, "/openai/deployments/gpt-4o-eu/chat/completions?api-version=2024-10-21"),
        (
            "",
            {"api_version": "2025-04-01-preview"},
            "/openai/deployments/gpt-4o-eu/chat/completions?api-version=2025-04-01-preview",
        ),
        ("/openai/v1", {}, "/openai/v1/chat/completions"),
        (
            "/openai/v1",
            {"api_version": "preview"},
            "/openai/v1/chat/completions?api-version=preview",
        ),
    ],
)
def test_a_deployment_is_called_at_its_path(
    azure: Rig, form: str, options: dict[str, str], path: str, headers: Any
) -> None:
    assert isinstance(azure.stub, AzureStub)
    base = azure.stub.resource + form
    azure.route("small", target(azure, base_url=base, options=options, headers=headers))
    azure.start()
    assert ask(azure).choices[0].message.content == "The kettle is on."
    assert azure.stub.paths == [path]


def test_a_token_of_entra_may_come_with_the_options(azure: Rig) -> None:
    azure.route("small", target(azure, headers=(), options={"entra_token": ENTRA_TOKEN}))
    azure.start()
    assert ask(azure).choices[0].message.content == "The kettle is on."


def test_a_deployment_may_have_another_name_than_its_model(azure: Rig) -> None:
    assert isinstance(azure.stub, AzureStub)
    azure.stub.deployments = ("ours",)
    base = azure.stub.resource + "/openai/v1"
    azure.route("small", target(azure, base_url=base, options={"deployment": "ours"}))
    azure.start()
    ask(azure)
    assert azure.stub.requests[0]["model"] == "ours"
    (record,) = azure.records()
    assert record.model == "gpt-4o-eu"


def test_a_stream_that_begins_with_filter_results_passes_untouched_and_is_counted(
    azure: Rig,
) -> None:
    azure.route("small", target(azure))
    azure.start()
    chunks = ask(azure, stream=True)
    assert chunks[0].choices == []
    assert chunks[0].prompt_filter_results[0]["prompt_index"] == 0
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == "The kettle is on."
    (record,) = azure.records()
    assert (record.served_model, record.output_tokens) == ("gpt-4o-eu-2026", 5)
    assert record.response_id == "chatcmpl-stub"


def test_a_wrong_deployment_is_told_in_the_words_of_azure(azure: Rig) -> None:
    azure.route("small", target(azure, options={"deployment": "gone"}))
    azure.start()
    with pytest.raises(openai.NotFoundError, match="deployment"):
        ask(azure)
