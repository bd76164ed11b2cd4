"""The vendors' table: every row is whole, and every recording of a vendor is read as it says."""

from __future__ import annotations

import datetime
import itertools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import genai_prices.data
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.catalog.compile import Definitions, compile_part
from stockpot.catalog.offers import Offer, offer_of
from stockpot.catalog.references import Unresolved, resolve_secret
from stockpot.gateway import Target
from stockpot.providers import OpenAIDialect, Vendor, dialects, vendors, wire_named, wire_names
from stockpot.providers.vendors import rows_of

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs/how-to/add-a-vendor.md").read_text("utf-8")
RECORDED = sorted(path for path in (HERE / "recorded").iterdir() if path.is_dir())
PRICED = {provider.id for provider in genai_prices.data.providers}
DIALECT = OpenAIDialect()


def target_of(vendor: Vendor, secret: str = "sk-1") -> Target:
    offer = offer_of(
        vendor, name=vendor.name, base_url=vendor.base_url, origin="console", secret=secret,
        models=("m",),
    )  # fmt: skip
    nothing = Definitions(projects=(), project_budgets={}, keys=(), routes=())
    (target,) = compile_part(nothing, (offer,), wire_names(), workers=1).part.targets
    return target


def test_at_least_forty_vendors_are_known_and_each_once() -> None:
    rows = vendors()
    assert len(rows) >= 40
    urls = [row.base_url for row in rows if not row.local and row.name != "openai-compatible"]
    assert len(set(urls)) == len(urls)
    variables = [row.env for row in rows if row.env]
    assert len(set(variables)) == len(variables)


@pytest.mark.parametrize("row", vendors(), ids=lambda row: row.name)
def test_a_row_is_whole(row: Vendor) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", row.name)
    assert row.title
    assert row.wire in wire_names()
    url = urlsplit(row.base_url)
    assert (url.scheme == "https") is not (row.local or row.name == "openai-compatible")
    assert not row.base_url.endswith("/")
    assert not url.query
    assert re.fullmatch(r"bearer|none|header:[a-z-]+", row.auth)
    assert (row.auth == "none") is row.local
    assert re.fullmatch(r"([A-Z][A-Z0-9_]+)?", row.env)
    assert row.stream_usage in ("inject", "always", "never")
    assert set(row.native) <= {dialect.name for dialect in dialects()} - {row.wire}
    assert row.prices_as in PRICED | {""}
    assert len(row.source) > 10
    assert datetime.date.fromisoformat(row.date) >= datetime.date(2026, 11, 1)
    assert not row.probe or row.probe.startswith(row.base_url)


@pytest.mark.parametrize("row", vendors(), ids=lambda row: row.name)
def test_a_row_becomes_a_target_that_a_chat_can_be_sent_to(row: Vendor) -> None:
    target = target_of(row)
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    out = wire_named(row.wire).outgoing(DIALECT.read("chat", json.dumps(body).encode()), target)
    assert out.path.startswith("/")
    assert out.losses == ()
    if row.auth == "bearer":
        assert target.headers == (("authorization", "Bearer sk-1"),)
    assert target.native == row.native


def test_a_field_that_a_server_takes_for_an_error_is_left_out_aloud() -> None:
    (row,) = (row for row in vendors() if row.name == "mistral")
    body = {"model": "m", "messages": [], "stream": True, "stream_options": {"include_usage": True}}
    asked = DIALECT.read("chat", json.dumps(body).encode())
    out = wire_named("openai").outgoing(asked, target_of(row))
    assert json.loads(out.body) == {"model": "m", "messages": [], "stream": True}
    assert [(loss.field, loss.kind) for loss in out.losses] == [("stream_options", "hint")]


def test_a_secret_of_several_parts_becomes_settings_of_the_wire() -> None:
    (row,) = (row for row in vendors() if row.name == "bedrock")
    keys = {"access_key_id": "AKID", "secret_access_key": "s", "region": "eu-west-1"}
    target = target_of(row, json.dumps(keys))
    assert (target.headers, target.options) == ((), keys)
    assert target.base_url == row.base_url.replace("us-east-1", "eu-west-1")
    account = json.dumps({"type": "service_account", "project_id": "p"})
    assert target_of(row, account).options == {"service_account": account}
    with_key = target_of(row, json.dumps({"api_key": "k-1", "region": "x"}))
    assert with_key.headers == (("authorization", "Bearer k-1"),)
    assert with_key.options == {"region": "x"}
    assert target_of(row, "{not json").headers == (("authorization", "Bearer {not json"),)


def test_aws_key_id_stands_for_all_variables_of_its_credential() -> None:
    (row,) = (row for row in vendors() if row.name == "bedrock")
    environ = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_DEFAULT_REGION": "eu-west-1"}
    with pytest.raises(Unresolved, match="AWS_SECRET_ACCESS_KEY"):
        resolve_secret("env:AWS_ACCESS_KEY_ID", environ)
    environ |= {"AWS_SECRET_ACCESS_KEY": "s/1", "AWS_REGION": "eu-north-1"}
    target = target_of(row, resolve_secret("env:AWS_ACCESS_KEY_ID", environ))
    said = {"access_key_id": "AKID", "secret_access_key": "s/1", "default_region": "eu-north-1"}
    assert (target.headers, target.options) == ((), said)
    assert "eu-north-1" in target.base_url
    there = row.base_url.replace("us-east-1", "sa-east-1")
    elsewhere = offer_of(
        row, name="b", base_url=there, origin="console",
        secret=resolve_secret("env:AWS_ACCESS_KEY_ID", environ),
    )  # fmt: skip
    assert (elsewhere.base_url, elsewhere.options()) == (there, said)
    environ["AWS_SESSION_TOKEN"] = "t"
    assert json.loads(resolve_secret("env:AWS_ACCESS_KEY_ID", environ))["session_token"] == "t"
    with pytest.raises(Unresolved, match="not set"):
        resolve_secret("env:AWS_ACCESS_KEY_ID", {})


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("gpt-4o", "chat"), ("text-embedding-3-small", "embedding"), ("whisper-1", "audio"),
        ("gpt-4o-mini-tts", "audio"), ("gpt-4o-transcribe", "audio"), ("dall-e-3", "image"),
        ("gpt-image-1", "image"), ("omni-moderation-latest", "moderation"),
        ("rerank-v3.5", "rerank"), ("jina-reranker-v2", "rerank"),
    ],
)  # fmt: skip
def test_a_models_name_tells_what_it_is_for(model: str, kind: str) -> None:
    offer = Offer(name="n", vendor="v", title="t", wire="openai", base_url="u", origin="console")
    assert offer.kind_of(model) == kind


# --- recordings ---------------------------------------------------------------------------------


def heard(target: Target, data: bytes, cuts: list[int] | None) -> dict[str, Any]:
    """What the row's wire hears of an answer; `cuts` None is a whole answer."""
    wire = wire_named(target.wire)
    body = {"model": "m", "messages": [], "stream": cuts is not None,
            "stream_options": {"include_usage": True}}  # fmt: skip
    answer = wire.answer(DIALECT.read("chat", json.dumps(body).encode()), target)
    if cuts is None:
        out = answer.complete(data)
        text = json.loads(out)["choices"][0]["message"]["content"]
    else:
        edges = [0, *sorted({c % (len(data) + 1) for c in cuts}), len(data)]
        out = b"".join(answer.feed(data[a:b]) for a, b in itertools.pairwise(edges)) + answer.end()
        lines = [x[6:] for x in out.decode().splitlines() if x.startswith("data: {")]
        chunks = [choice["delta"] for x in lines for choice in json.loads(x)["choices"]]
        text = "".join(delta.get("content") or "" for delta in chunks)
        assert answer.ended
    assert out == data
    usage = answer.usage
    assert usage is not None
    return {
        "text": text, "finish": answer.finish_reason, "input": usage.input,
        "output": usage.output, "cache_read": usage.cache_read,
    }  # fmt: skip


@pytest.mark.parametrize("folder", RECORDED, ids=lambda path: path.name)
@given(cuts=st.lists(st.integers(0, 100_000), max_size=20))
def test_a_recording_is_heard_as_it_says(folder: Path, cuts: list[int]) -> None:
    rows = {row.name: row for row in vendors()}
    assert folder.name in rows, "a recording belongs to a row of its name"
    play(rows[folder.name], folder, cuts)


def play(row: Vendor, folder: Path, cuts: list[int]) -> None:
    about, target = json.loads((folder / "about.json").read_text("utf-8")), target_of(row)
    assert about["of"]
    datetime.date.fromisoformat(about["on"])
    assert heard(target, (folder / "whole.json").read_bytes(), None) == about["whole"]
    assert heard(target, (folder / "stream.sse").read_bytes(), cuts) == about["stream"]


def test_the_row_that_the_documentation_shows_is_one_and_plays_a_recording() -> None:
    (text,) = (x for x in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[acme]" in x)
    (row,) = rows_of(text)
    assert (row.stream_usage, row.native, row.refuses, row.verified) == (
        "always", ("responses",), ("stream_options",), "",
    )  # fmt: skip
    play(row, RECORDED[0], [3, 500, 501])
    with pytest.raises(msgspec.ValidationError, match="basurl"):
        rows_of('[x]\ntitle = "X"\nbasurl = "y"\n')
