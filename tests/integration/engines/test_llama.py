"""Real models behind llama.cpp."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from stockpot.engines import EngineAddress, running
from stockpot.engines.process import is_free
from tests.integration.engines.conftest import Engines

pytestmark = pytest.mark.integration

REFERENCE = Path(__file__).with_name("minilm_reference.json")


@pytest.fixture(scope="module")
def chat(engines: Engines) -> EngineAddress:
    return engines.up("smollm2-135m")


@pytest.fixture
def client(chat: EngineAddress) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=chat.url, api_key="none", max_retries=0, timeout=100) as client:
        yield client


def port_of(address: EngineAddress) -> int:
    return int(address.url.split(":")[2].removesuffix("/v1"))


@pytest.mark.needs("smollm2-135m")
def test_a_real_model_answers_and_is_announced_as_a_smoke_model(
    chat: EngineAddress, client: openai.OpenAI
) -> None:
    assert (chat.model, chat.kind, chat.engine) == ("smollm2-135m", "chat", "llama.cpp")
    assert chat.smoke
    assert chat.context == 2048
    answer = client.chat.completions.create(
        model="smollm2-135m",
        messages=[{"role": "user", "content": "What is 2+2?"}],
        max_tokens=24,
        temperature=0,
    )
    assert "4" in (answer.choices[0].message.content or "")
    assert answer.model == "smollm2-135m"
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 24


@pytest.mark.needs("smollm2-135m")
def test_a_request_that_says_nothing_is_sampled_as_the_models_card_says_and_ends(
    engines: Engines, chat: EngineAddress
) -> None:
    with urllib.request.urlopen(f"{chat.url.removesuffix('/v1')}/props", timeout=60) as answer:
        ways = json.load(answer)["default_generation_settings"]["params"]
    assert ways["temperature"] == pytest.approx(0.2)
    assert ways["top_p"] == pytest.approx(0.9)
    argv = engines.command("smollm2-135m").argv
    assert argv[argv.index("--predict") + 1] == "512"


@pytest.mark.needs("smollm2-135m")
def test_a_stream_ends_with_the_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="smollm2-135m",
        messages=[{"role": "user", "content": "Count from one to ten."}],
        max_tokens=8,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    usage = [chunk.usage for chunk in chunks if chunk.usage]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert len(usage) == 1
    assert usage[0].completion_tokens == 8
    assert usage[0].prompt_tokens > 5
    assert text


@pytest.mark.needs("smollm2-135m")
def test_a_prompt_longer_than_a_slot_is_refused_and_not_cut(
    chat: EngineAddress, client: openai.OpenAI
) -> None:
    with pytest.raises(openai.BadRequestError, match="context"):
        client.completions.create(
            model="smollm2-135m", prompt="soup " * (chat.context + 100), max_tokens=1
        )


@pytest.mark.needs("smollm2-135m")
def test_no_page_of_another_origin_may_read_an_answer(chat: EngineAddress) -> None:
    request = urllib.request.Request(f"{chat.url}/models", headers={"Origin": "http://evil.test"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers.get("Access-Control-Allow-Origin") not in ("*", "http://evil.test")


@pytest.mark.needs("minilm-l6-v2")
def test_embeddings_agree_with_the_original_to_cosine_999(engines: Engines) -> None:
    address = engines.up("minilm-l6-v2")
    assert (address.kind, address.context, address.smoke) == ("embedding", 512, False)
    rows = json.loads(REFERENCE.read_text("utf-8"))["rows"]
    assert len(rows) >= 20
    with openai.OpenAI(base_url=address.url, api_key="none", max_retries=0) as client:
        answer = client.embeddings.create(model=address.model, input=[row["text"] for row in rows])
    assert answer.usage.prompt_tokens == sum(row["tokens"] for row in rows)
    for row, found in zip(rows, answer.data, strict=True):
        assert cosine(row["vector"], found.embedding) >= 0.999, row["text"]


def cosine(a: list[float], b: list[float]) -> float:
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))


@pytest.mark.needs("minilm-l6-v2")
def test_a_killed_engine_comes_back_on_its_port(own_engines: Engines) -> None:
    command = own_engines.command("minilm-l6-v2")
    first = own_engines.up("minilm-l6-v2")
    os.kill(first.pid, 9)
    own_engines.processes[-1].wait()
    assert "minilm-l6-v2" not in {address.name for address in running(own_engines.instance)}
    process = own_engines.start(command)
    second = own_engines.announced("minilm-l6-v2", process.pid)
    assert second.url == first.url
    with urllib.request.urlopen(f"{second.url.removesuffix('/v1')}/health", timeout=60) as answer:
        assert answer.status == 200
    process.terminate()
    assert process.wait(60) == 0
    assert own_engines.instance.announced("engines/minilm-l6-v2") is None
    assert is_free(port_of(second))


@pytest.mark.needs("minilm-l6-v2")
def test_an_engine_ends_with_the_process_that_started_it(own_engines: Engines) -> None:
    command = own_engines.command("minilm-l6-v2")
    program = (
        "import subprocess, sys, time; p = subprocess.Popen(sys.argv[1:]);"
        "print(p.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, *command.argv],
        stdout=subprocess.PIPE,
        env={**os.environ, **command.env},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        address = own_engines.announced("minilm-l6-v2", pid)
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 60
    while not is_free(port_of(address)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_free(port_of(address))


def test_a_file_that_is_no_model_ends_the_engine_and_says_why(
    engines: Engines, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    for path, status, message in (
        (broken, 1, "cannot serve"),
        (tmp_path / "no", 2, "no model file"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "stockpot.engines.llama", "--name", "x", "--port", "21999",
             "--model-path", str(path)],
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "STOCKPOT_HOME": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == status
        assert message in done.stderr
        assert str(path) in done.stderr
