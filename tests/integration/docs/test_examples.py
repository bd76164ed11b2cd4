"""The documentation's examples are run, page by page, against a real instance.

A block that follows `<!-- run -->` is run; `<!-- run expect: TEXT -->` also demands that it prints
the text. Blocks of one page share a shell, as they do for a reader.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Instance

REPO = Path(__file__).resolve().parents[3]
PAGES = sorted(
    path
    for path in [REPO / "README.md", *(REPO / "docs").rglob("*.md")]
    if "<!-- run" in path.read_text("utf-8")
)
BLOCK = re.compile(
    r"<!-- run(?: expect: (?P<expect>.+?))? -->\n```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.needs("smollm2-135m"),
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("docs"),
]


class Block(NamedTuple):
    """One example."""

    language: str
    code: str
    expect: str | None


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, models_home: Path) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("home"), models_home) as started:
        yield started


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = [Block(m["language"], m["code"], m["expect"]) for m in BLOCK.finditer(text)]
    assert len(found) == text.count("<!-- run"), f"{page.name}: a mark without a block below it"
    return found


def script(some: list[Block], instance: Instance) -> str:
    """All blocks of a page as one shell script that says which block speaks."""
    parts = ["set -euo pipefail"]
    for number, block in enumerate(some):
        parts.append(f"echo; echo '::block {number}'")  # curl ends no line
        code = block.code
        if block.language == "python":
            code = f"python3 - <<'PROGRAM'\n{code}\nPROGRAM"
        else:
            assert block.language == "bash", block.language
        parts.append(code)
    return (
        "\n".join(parts)
        .replace("127.0.0.1:4000", f"127.0.0.1:{instance.gateway_port}")
        .replace("127.0.0.1:4001", f"127.0.0.1:{instance.console_port}")
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path, instance: Instance, tmp_path: Path) -> None:
    some = blocks(page)
    done = subprocess.run(
        ["bash", "-c", script(some, instance)],
        env={**instance.environ, "STOCKPOT_KEY": instance.key},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    said = re.split(r"^::block \d+$", done.stdout, flags=re.MULTILINE)[1:]
    for block, output in zip(some, said, strict=True):
        if block.expect is not None:
            assert block.expect in output, f"{block.code}\nprinted\n{output}"
