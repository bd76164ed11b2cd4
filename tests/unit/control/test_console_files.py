"""Serving the built console."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import FileResponse

from stockpot.core.console_files import ConsoleFiles


@pytest.fixture
def built(tmp_path: Path) -> ConsoleFiles:
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<html>page</html>")
    (folder / "assets" / "app-1234.js").write_text("1")
    (tmp_path / "secret.txt").write_text("no")
    return ConsoleFiles(folder)


def path_of(response: object) -> str:
    assert isinstance(response, FileResponse)
    return Path(response.path).name


@pytest.mark.parametrize("path", ["", "traces", "traces/abc", "keys", "models/gpt-4.1"])
def test_every_page_of_the_console_is_the_one_page(built: ConsoleFiles, path: str) -> None:
    response = built.answer(path)
    assert path_of(response) == "index.html"
    assert response.headers["cache-control"] == "no-cache"


def test_a_hashed_file_may_be_kept_for_ever(built: ConsoleFiles) -> None:
    response = built.answer("assets/app-1234.js")
    assert path_of(response) == "app-1234.js"
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-type"].startswith("text/javascript")


def test_a_browser_that_can_unpack_gets_the_packed_file(
    built: ConsoleFiles, tmp_path: Path
) -> None:
    (tmp_path / "console" / "assets" / "app-1234.js.gz").write_bytes(b"packed")
    response = built.answer("assets/app-1234.js", "br, gzip")
    assert path_of(response) == "app-1234.js.gz"
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"].startswith("text/javascript")
    assert path_of(built.answer("assets/app-1234.js", "identity")) == "app-1234.js"
    assert path_of(built.answer("", "gzip")) == "index.html"


def test_a_file_of_an_old_build_is_missing_rather_than_a_page(built: ConsoleFiles) -> None:
    assert built.answer("assets/app-0000.js").status_code == 404


@pytest.mark.parametrize("path", ["../secret.txt", "assets/../../secret.txt", "/etc/passwd"])
def test_nothing_outside_the_folder_is_served(built: ConsoleFiles, path: str) -> None:
    response = built.answer(path)
    assert response.status_code == 404 or path_of(response) == "index.html"


def test_without_a_build_the_page_says_how_to_build(tmp_path: Path) -> None:
    response = ConsoleFiles(tmp_path / "none").answer("")
    assert response.status_code == 503
    assert b"make console" in response.body
