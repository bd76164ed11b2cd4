"""Forms with files, cut without copying, beside Python's own parser of mail."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway import Target
from stockpot.providers import BadRequest, OpenAIDialect, wire_named
from stockpot.providers.openai.multipart import Form

DIALECT = OpenAIDialect()
NAMES = st.sampled_from(["prompt", "language", "response_format", "temperature", "x-y", "é"])
FILES = st.binary(max_size=300) | st.sampled_from([b"\r\n--", b"--boundary", b"\r\n\r\n", b"-"])


def form_of(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, bytes]:
    """Body and content type, as httpx writes them."""
    sent = httpx.Request(
        "POST", "http://x", data=fields,
        files={name: (f"{name}.wav", data, "audio/wav") for name, data in files.items()},
    )  # fmt: skip
    return sent.read(), sent.headers["content-type"].encode()


def theirs(body: bytes, kind: bytes) -> list[tuple[Any, Any, bytes]]:
    parsed = BytesParser(policy=HTTP).parsebytes(b"content-type: " + kind + b"\r\n\r\n" + body)
    return [
        (p.get_param("name", header="content-disposition"), p.get_filename(),
         p.get_payload(decode=True))
        for p in parsed.iter_parts()
    ]  # fmt: skip


@given(
    st.dictionaries(NAMES, st.text(max_size=30), max_size=4),
    st.dictionaries(st.sampled_from(["file", "image", "mask"]), FILES, min_size=1, max_size=3),
    st.sampled_from(["alias", "a/b:c", "modèle"]),
)
def test_a_form_is_cut_as_its_sender_meant_it(
    fields: dict[str, str], files: dict[str, bytes], model: str
) -> None:
    body, kind = form_of({**fields, "model": model}, files)
    form = Form(body, kind)
    said = {part.name: body[part.begin : part.end] for part in form.parts}
    wanted = {name: text.encode() for name, text in {**fields, "model": model}.items()}
    assert said == {**wanted, **files}
    assert form.text("model") == model
    assert {p.name for p in form.parts if p.file is not None} == set(files)


@given(FILES)
def test_another_model_changes_nothing_else_of_a_form(file: bytes) -> None:
    body, kind = form_of({"model": "alias", "prompt": "model"}, {"file": file})
    ask = DIALECT.read("transcriptions", body, headers={b"content-type": kind})
    out = wire_named("openai").outgoing(
        ask, Target("t", "p", "openai", "http://h/v1", "upstream-1")
    )
    assert (out.path, out.content_type.encode()) == ("/audio/transcriptions", kind)
    before = [(n, f, b"upstream-1" if n == "model" else d) for n, f, d in theirs(body, kind)]
    assert theirs(out.body, kind) == before
    same = Target("t", "p", "openai", "http://h/v1", "alias")
    assert wire_named("openai").outgoing(ask, same).body is body


def test_what_is_recorded_of_a_form_holds_no_file() -> None:
    body, kind = form_of({"model": "alias", "prompt": "Ann"}, {"file": b"secret" * 100})
    ask = DIALECT.read("transcriptions", body, headers={b"content-type": kind})
    assert ask.kept is not None
    assert msgspec.json.decode(ask.kept) == {
        "model": "alias", "prompt": "Ann",
        "file": {"file": "file.wav", "type": "audio/wav", "bytes": 600},
    }  # fmt: skip


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_body_breaks_the_reader(junk: bytes, cut: int) -> None:
    body, kind = form_of({"model": "alias"}, {"file": junk})
    for broken in (body[:cut], junk, body[:cut] + junk, body[cut:]):
        try:
            form = Form(broken, kind)
        except BadRequest:
            continue
        assert all(0 <= part.begin <= part.end <= len(broken) for part in form.parts)


DOUBTFUL = [
    b'name="model"\r\n', b'\r\n name="model"', b'name="x"; name="model"', b'NAME="model" ; x=y;',
    b'name="mod\\el"', b"name=x; name*=utf-8''model", b'name="x"; filename="a\\"; name="model"',
    b'name="x"\n\n--b\r\ncontent-disposition: form-data; name="model"', b"name=model", b'name="x"',
    b'name="x"\r\ncontent-disposition: form-data; name="model"', b'filename="; name=x"; name=model',
    b'name="model"\r\ncontent-transfer-encoding: base64', b'name="x"\x00; name="model"',
    b'name="model"\r\ncontent-type: multipart/mixed; boundary=b',
]  # fmt: skip
KINDS = [
    b"boundary=b", b'boundary="b"', b"boundary=c; boundary=b", b'x="; boundary=c"; boundary=b',
    b"boundary*=b", b"boundary=b; boundary*=c", b'boundary="c\\" ; boundary=b"', b"BOUNDARY=b;",
]  # fmt: skip
ENDS = st.sampled_from([b"\r\n"] * 4 + [b"\n", b" \r\n", b"\r", b""])
PIECE = st.tuples(
    ENDS, st.sampled_from(DOUBTFUL), st.sampled_from([b"\r\n\r\n"] * 4 + [b"\n\n", b"\r\n"]),
    st.sampled_from([b"alias", b"other", b"YWxpYXM=", b"a\n--b\r\n", b"", b"9" * 5000]), ENDS,
)  # fmt: skip


@given(st.lists(PIECE, min_size=1, max_size=3), st.sampled_from(KINDS), st.binary(max_size=4))
def test_no_other_reader_sees_another_model_than_the_one_that_is_paid_for(
    pieces: list[tuple[bytes, ...]], kind: bytes, around: bytes
) -> None:
    kind = b"multipart/form-data; " + kind
    body = around[2:]
    for end, head, gap, value, last in pieces:
        body += b"--b%bcontent-disposition: form-data; %b%b%b%b" % (end, head, gap, value, last)
    body += b"--b--" + around[:2]
    try:
        ask = DIALECT.read("transcriptions", body, headers={b"content-type": kind})
    except BadRequest:
        return
    out = wire_named("openai").outgoing(ask, Target("t", "p", "openai", "http://h/v1", "up-1"))
    assert [said for name, _, said in theirs(out.body, kind) if name == "model"] == [b"up-1"]


def test_a_form_of_too_many_parts_is_refused() -> None:
    body = b"".join(
        b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n' for _ in range(300)
    )
    with pytest.raises(BadRequest, match="more than 200 parts"):
        Form(body + b"--b--\r\n", b"multipart/form-data; boundary=b")
