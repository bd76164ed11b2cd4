"""The documentation is current, whole and leads nowhere that does not exist."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from scripts import generate_docs
from stockpot.cli import ALSO, main
from stockpot.core.config import SETTINGS
from stockpot.pipelines.rightsize.cli.root import RunsByDefault

if TYPE_CHECKING:
    from collections.abc import Iterator

REPO = Path(__file__).resolve().parents[3]
DOCS = REPO / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FRONT = [REPO / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_SETTINGS = {
    "STOCKPOT_KEY": "the reader's own variable in examples, and the SDKs'",
    "STOCKPOT_TOKEN": "of a command line that speaks to another host",
    "STOCKPOT_GATEWAY": "of a command line that speaks to another host",
    **dict.fromkeys(
        (
            "STOCKPOT_URL", "STOCKPOT_TRACES_URL", "STOCKPOT_OBSERVE", "STOCKPOT_SERVICE",
            "STOCKPOT_RELEASE", "STOCKPOT_ENVIRONMENT", "STOCKPOT_PROMPTS_FOLDER",
            "STOCKPOT_EXPERIMENTS_FOLDER",
        ),
        "of applications with an SDK, not of an instance",
    ),
}  # fmt: skip


def ids(paths: list[Path]) -> list[str]:
    return [path.relative_to(REPO).as_posix() for path in paths]


@cache
def commands() -> dict[str, click.Command]:
    def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                yield from walk(child, f"{path} {name}")

    return dict(walk(main, "stockpot"))


@pytest.mark.parametrize("name", sorted(generate_docs.PAGES))
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    page = generate_docs.NOTE + generate_docs.PAGES[name]().rstrip() + "\n"
    current = (generate_docs.REFERENCE / name).read_text("utf-8")
    assert current == page, "run: .venv/bin/python scripts/generate_docs.py"


def test_a_setting_a_command_or_a_field_without_words_is_an_error() -> None:
    with pytest.raises(generate_docs.Undocumented, match="brand_new"):
        generate_docs.words("tokens", [*generate_docs.WORDS["tokens"], "brand_new"])
    with pytest.raises(generate_docs.Undocumented, match="remove"):
        generate_docs.words("tokens", [])


def test_every_setting_and_every_command_is_on_its_page() -> None:
    settings = (DOCS / "reference/settings.md").read_text("utf-8")
    assert not [row.env for row in SETTINGS if f"`{row.env}`" not in settings]
    shown = (DOCS / "reference/commands.md").read_text("utf-8")
    assert not [path for path in commands() if f"# {path}\n" not in shown]


@pytest.mark.parametrize("page", [*PAGES, *FRONT], ids=ids([*PAGES, *FRONT]))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in LINK.findall(text):
        if re.match(r"https?://|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(found), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_can_be_reached_from_the_first() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or DOCS not in page.parents:
            continue
        seen.add(page)
        links = LINK.findall(page.read_text("utf-8"))
        waiting += [(page.parent / t.partition("#")[0]).resolve() for t in links if "://" not in t]
    assert set(PAGES) == seen


@pytest.mark.parametrize("page", [*PAGES, *FRONT], ids=ids([*PAGES, *FRONT]))
def test_every_setting_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\bSTOCKPOT_[A-Z_]+\b", page.read_text("utf-8")))
    assert named <= {row.env for row in SETTINGS} | NOT_SETTINGS.keys()


@pytest.mark.parametrize("page", [*PAGES, *FRONT], ids=ids([*PAGES, *FRONT]))
def test_every_command_that_is_shown_exists_with_its_options(page: Path) -> None:
    if page.name == "commands.md":
        return  # it is the commands' own help
    for line in shown_commands(page.read_text("utf-8")):
        words = shlex.split(line)
        words[1] = ALSO.get(words[1], words[1])
        used = max(n for n in range(1, len(words) + 1) if " ".join(words[:n]) in commands())
        command = commands()[" ".join(words[:used])]
        if isinstance(command, RunsByDefault) and words[used:]:
            command = command.commands["run"]
        rest = [word for word in words[used:] if not word.startswith("-")]
        assert not (isinstance(command, click.Group) and rest), line
        given = {word.split("=")[0] for word in words[used:] if word.startswith("--")}
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        assert given <= known | {"--help", "--version"}, line


def shown_commands(text: str) -> Iterator[str]:
    """Each `stockpot ...` in a code block or between backticks."""
    inline = re.findall(r"`(stockpot [^`]+)`", FENCE.sub("", text))
    blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
    blocks = re.sub(r"^from stockpot import .*$", "", blocks, flags=re.MULTILINE)  # Python's
    inside = re.findall(r"(?:^|[\s(;&])(stockpot (?!=)[a-z][^|;&)\n#]*)", blocks, re.MULTILINE)
    for line in [*inline, *inside]:
        if line.split()[1].isidentifier() or "-" in line.split()[1]:
            yield line.replace("...", "").strip()


def test_the_readme_has_its_figures_between_marks_and_its_two_commands() -> None:
    text = (REPO / "README.md").read_text("utf-8")
    assert text.index("<!-- figures:begin -->") < text.index("<!-- figures:end -->")
    for command in ("make up", "make test", "pip install stockpot && stockpot up"):
        assert command in text


def test_the_changelog_is_in_its_form() -> None:
    text = (REPO / "CHANGELOG.md").read_text("utf-8")
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert titles[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", t) for t in titles[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
