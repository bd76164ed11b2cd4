"""Log lines: one JSON object each, without secrets."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from stockpot.core.logs import JsonLines, redacted


def line(message: str, *args: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("stockpot.x", logging.WARNING, "f.py", 1, message, args, None)
    vars(record).update(extra)
    told = JsonLines().format(record)
    assert "\n" not in told
    return dict(json.loads(told))


def test_a_line_holds_time_level_logger_message_and_what_was_added() -> None:
    got = line("published %d", 7, revision=7)
    assert got["level"] == "warning"
    assert got["logger"] == "stockpot.x"
    assert got["message"] == "published 7"
    assert got["revision"] == 7
    assert str(got["at"]).endswith("Z")


def test_an_exception_is_told_in_the_same_line() -> None:
    try:
        raise ValueError("boom with sk-sp-abcdefghijklmnop")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    got = json.loads(JsonLines().format(record))
    assert "ValueError" in got["error"]
    assert "abcdefgh" not in got["error"]


@pytest.mark.parametrize(
    "text",
    [
        "key sk-sp-0123456789abcdefghij is wrong",
        "Authorization: Bearer 0123456789abcdefghij",
        "authorization: 0123456789abcdefghij",
        "used spt_0123456789abcdefghij",
        "sk-ant-0123456789abcdefghij",
        "http://127.0.0.1:4001/sign-in#token=0123456789abcdefghij",
    ],
)
def test_a_credential_never_reaches_a_log(text: str) -> None:
    assert "0123456789abcdefghij" not in redacted(text)
    assert "[redacted]" in redacted(text)


def test_ordinary_words_stay() -> None:
    text = "published revision 7: key key_0a1b2c3d4e created, task-1 spt ok"
    assert redacted(text) == text
