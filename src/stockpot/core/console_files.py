"""Serving the built console: files by their names, the page itself for every other path.

Knows a folder; knows no route of the API.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response

_FOREVER = "public, max-age=31536000, immutable"
_EACH_TIME = "no-cache"

_NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>stockpot</title>
<h1>The console is not built</h1>
<p>The API works: <code>/api/v1</code>. Build the console in a source checkout with
<code>make console</code>, or install the released package: <code>pip install stockpot</code>.</p>
"""


class ConsoleFiles:
    """The console's folder as it was built."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def answer(self, path: str, accepted: str = "") -> Response:
        """A file, or the page, whose own router knows the rest of the paths. `accepted` is the
        request's Accept-Encoding."""
        page = self._folder / "index.html"
        if not page.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503)
        wanted = (self._folder / path).resolve()
        if path and wanted.is_relative_to(self._folder) and wanted.is_file():
            hashed = wanted.parent.name == "assets"
            return _sent(wanted, _FOREVER if hashed else _EACH_TIME, accepted)
        if "." in path.rpartition("/")[2] and path.startswith("assets/"):
            return Response(status_code=404)  # an old page asks for a file of an old build
        return _sent(page, _EACH_TIME, accepted)


def _sent(file: Path, kept: str, accepted: str) -> FileResponse:
    """The file, or the smaller one that the build put beside it."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {"cache-control": kept, "vary": "accept-encoding"}
    packed = file.with_name(f"{file.name}.gz")
    if "gzip" in accepted.lower() and packed.is_file():
        headers["content-encoding"] = "gzip"
        file = packed
    return FileResponse(file, media_type=kind, headers=headers)
