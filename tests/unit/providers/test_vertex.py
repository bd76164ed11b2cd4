"""The Vertex wire: paths of Google Cloud, and tokens that are signed here."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from stockpot.gateway import Target
from stockpot.prices import Usage
from stockpot.providers import BadRequest, CannotExpress, OpenAIDialect
from stockpot.providers.gemini import GeminiDialect, VertexWire

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BODY = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
DIALECT = GeminiDialect("v1")


def account(key: Any = KEY) -> str:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    said = {"type": "service_account", "client_email": "pot@p.example", "private_key_id": "k1",
            "project_id": "its-own"}  # fmt: skip
    return json.dumps({**said, "private_key": pem.decode()})


def target(model: str = "gemini-2.5-flash", **options: str) -> Target:
    url = "https://aiplatform.googleapis.com/v1"
    return Target("t", "google", "vertex", url, model, options=options)


def path(target: Target, verb: str = "generateContent", query: str = "") -> str:
    asked = f"/v1/models/alias:{verb}{query}".encode()
    ask = DIALECT.read("chat", BODY, asked, {})
    return VertexWire().outgoing(ask, target).path


def claims(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Head and claims of a token whose signature holds."""
    signed, _, signature = token.rpartition(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    KEY.public_key().verify(raw(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    head, body = (json.loads(raw(part)) for part in signed.split("."))
    return head, body


def test_a_call_goes_to_the_project_and_the_location() -> None:
    found = path(target(project="my-pot", location="europe-west4"), "streamGenerateContent",
                 "?alt=sse")  # fmt: skip
    assert found == (
        "/projects/my-pot/locations/europe-west4/publishers/google/models/gemini-2.5-flash"
        ":streamGenerateContent?alt=sse"
    )
    assert "/locations/global/" in path(target(project="my-pot"))
    regional = msgspec.structs.replace(
        target(service_account=account()),
        base_url="https://europe-west4-aiplatform.googleapis.com/v1",
    )
    assert path(regional).startswith("/projects/its-own/locations/europe-west4/publishers/")
    assert path(target()) == "/publishers/google/models/gemini-2.5-flash:generateContent"
    tuned = target("endpoints/123", project="p", location="l")
    assert path(tuned) == "/projects/p/locations/l/endpoints/123:generateContent"


def test_a_token_is_signed_as_google_says_and_kept_until_shortly_before_its_end() -> None:
    now = 1_800_000_000.0
    wire = VertexWire(clock=lambda: now)
    at = target(project="p", service_account=account())
    ((name, value),) = wire.headers(at)
    assert name == "authorization"
    head, said = claims(value.removeprefix("Bearer "))
    assert head == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert said == {
        "iss": "pot@p.example", "sub": "pot@p.example",
        "aud": "https://aiplatform.googleapis.com/", "iat": now, "exp": now + 3600,
    }  # fmt: skip
    now += 3299
    assert wire.headers(at) == ((name, value),)
    now += 1
    ((_, later),) = wire.headers(at)
    assert claims(later.removeprefix("Bearer "))[1]["exp"] == now + 3600


def test_a_token_may_be_given_instead() -> None:
    at = target(project="p", access_token="ya29.x")
    assert VertexWire().headers(at) == (("authorization", "Bearer ya29.x"),)
    assert VertexWire().headers(target()) == ()


@pytest.mark.parametrize(
    "bad",
    ["no JSON", "{}", account(ec.generate_private_key(ec.SECP256R1())),
     json.dumps({"client_email": "a", "private_key": "BEGIN secret"})],
    ids=["text", "empty", "curve", "no-key"],
)  # fmt: skip
def test_what_is_no_service_account_is_said_without_its_words(bad: str) -> None:
    with pytest.raises(CannotExpress, match="service_account") as told:
        VertexWire().headers(target(service_account=bad))
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None


def test_openais_embeddings_are_asked_of_vertex_and_answered_as_openais() -> None:
    said = {"model": "e", "input": ["leek", "pea"], "dimensions": 2, "user": "u"}
    ask = OpenAIDialect().read("embeddings", json.dumps(said).encode())
    wire, to = VertexWire(), target("gemini-embedding-001", project="p", access_token="t")
    out = wire.outgoing(ask, to)
    assert out.path.endswith("/publishers/google/models/gemini-embedding-001:predict")
    assert dict(out.headers) == {"authorization": "Bearer t"}
    assert json.loads(out.body) == {
        "instances": [{"content": "leek"}, {"content": "pea"}],
        "parameters": {"outputDimensionality": 2},
    }
    assert [loss.field for loss in out.losses] == ["user"]
    predictions = [
        {"embeddings": {"values": [0.5, n], "statistics": {"token_count": 3, "truncated": False}}}
        for n in (1.0, 2.0)
    ]
    answer = wire.answer(ask, to)
    told = json.loads(answer.complete(json.dumps({"predictions": predictions}).encode()))
    assert [row["embedding"] for row in told["data"]] == [[0.5, 1.0], [0.5, 2.0]]
    assert told["usage"] == {"prompt_tokens": 6, "total_tokens": 6}
    assert answer.usage == Usage(6)


@pytest.mark.parametrize("batch", [True, False])
def test_geminis_own_embeddings_are_asked_of_vertex_and_answered_as_geminis(batch: bool) -> None:
    one = {"model": "models/e", "content": {"parts": [{"text": "leek"}]}, "taskType": "CLUSTERING"}
    other = {"content": {"parts": {"text": "pea"}}, "title": "soup", "wild": 1}
    sized = [{**one, "outputDimensionality": 2}, {**other, "output_dimensionality": 2}]
    body = {"requests": sized} if batch else sized[1]
    verb = b"batchEmbedContents" if batch else b"embedContent"
    ask = DIALECT.read("embeddings", json.dumps(body).encode(), b"/v1beta/models/e:" + verb, {})
    wire, to = VertexWire(), target("gemini-embedding-001", project="p", access_token="t")
    out = wire.outgoing(ask, to)
    assert out.path.endswith("/publishers/google/models/gemini-embedding-001:predict")
    instances = [
        {"content": "leek", "task_type": "CLUSTERING"}, {"content": "pea", "title": "soup"},
    ]  # fmt: skip
    assert json.loads(out.body) == {
        "instances": instances if batch else instances[1:],
        "parameters": {"outputDimensionality": 2},
    }
    assert [loss.field for loss in out.losses] == ["wild"]
    said = [{"embeddings": {"values": [0.5, 1], "statistics": {"token_count": 3}}}]
    answer = wire.answer(ask, to)
    many = said * len(instances if batch else instances[1:])
    told = json.loads(answer.complete(json.dumps({"predictions": many}).encode()))
    vector = {"values": [0.5, 1.0]}
    tokens = 3 * len(many)
    assert told == {
        **({"embeddings": [vector, vector]} if batch else {"embedding": vector}),
        "usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens},
    }
    assert answer.usage == Usage(tokens)
    with pytest.raises(ValueError, match="no embedding"):
        answer.complete(b'{"predictions": []}')


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"content": {"parts": [{"text": "a"}, {"text": "b"}]}}, CannotExpress),
        ({"content": {"parts": [{"inlineData": {"data": "", "mimeType": "image/png"}}]}},
         CannotExpress),
        ({"content": "leek"}, BadRequest), ({}, BadRequest),
        ({"content": {"parts": [{"text": "leek"}]}, "outputDimensionality": [2]}, BadRequest),
    ],
)  # fmt: skip
def test_what_vertex_cannot_embed_is_said(body: dict[str, object], error: type[Exception]) -> None:
    ask = DIALECT.read("embeddings", json.dumps(body).encode(), b"/v1/models/a:embedContent", {})
    with pytest.raises(error):
        VertexWire().outgoing(ask, target())
