"""Both ways between a folder and an instance: nothing is ever overwritten."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.core.errors import Conflict
from stockpot.prompts.files import FileFault, PromptFile, write
from stockpot.prompts.models import PromptContent
from stockpot.prompts.syncing import LOCK, Folder, Here, There, compare, pull, push


def text(body: str) -> str:
    return write(PromptFile(PromptContent(body=body)))


class Instance:
    """An instance's prompts, with every version that there ever was."""

    def __init__(self) -> None:
        self.versions: dict[str, list[str]] = {}
        self.folders: dict[str, str] = {}

    def edit(self, name: str, body: str) -> None:
        self.versions.setdefault(name, []).append(text(body))

    def all(self) -> Mapping[str, There]:
        return {
            name: There(len(made), self.folders.get(name, ""), made[-1])
            for name, made in self.versions.items()
        }

    def put(self, name: str, here: Here, there: There | None, message: str) -> There:
        made = self.versions.setdefault(name, [])
        if len(made) != (there.version if there else 0):
            raise Conflict("somebody was faster")
        if not made or made[-1] != here.text:
            made.append(here.text)
        self.folders[name] = here.folder
        return There(len(made), here.folder, here.text)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "prompts")


def file(folder: Folder, name: str) -> Path:
    return folder.root / f"{name}.prompt.md"


def save(folder: Folder, name: str, body: str) -> None:
    folder.root.mkdir(parents=True, exist_ok=True)
    file(folder, name).write_text(text(body))


def states(folder: Folder, instance: Instance) -> dict[str, str]:
    found = compare(folder.read(), instance.all(), folder.base())
    return {status.name: status.state for status in found}


def test_changes_go_to_the_side_that_has_not_changed(folder: Folder) -> None:
    instance = Instance()
    instance.edit("a", "one")
    save(folder, "b", "two")
    assert states(folder, instance) == {"a": "new there", "b": "new here"}
    pull(folder, instance)
    push(folder, instance, "first")
    assert states(folder, instance) == {"a": "same", "b": "same"}
    instance.edit("a", "one, edited there")
    save(folder, "b", "two, edited here")
    assert states(folder, instance) == {"a": "changed there", "b": "changed here"}
    pull(folder, instance)
    push(folder, instance, "second")
    assert file(folder, "a").read_text() == text("one, edited there")
    assert instance.versions["b"] == [text("two"), text("two, edited here")]
    assert set(states(folder, instance).values()) == {"same"}


def test_a_conflict_is_shown_and_neither_side_is_overwritten(folder: Folder) -> None:
    instance = Instance()
    instance.edit("a", "one")
    pull(folder, instance)
    instance.edit("a", "theirs")
    save(folder, "a", "ours")
    for standing in (pull(folder, instance)[1], push(folder, instance, "")[1]):
        (status,) = standing
        assert status.state == "conflict"
        assert "-theirs\n+ours\n" in status.diff()
    assert file(folder, "a").read_text() == text("ours")
    assert instance.versions["a"][-1] == text("theirs")
    push(folder, instance, "ours it is", keep=["a"])
    assert instance.versions["a"] == [text("one"), text("theirs"), text("ours")]
    instance.edit("a", "theirs again")
    save(folder, "a", "ours again")
    pull(folder, instance, take=["a"])
    assert file(folder, "a").read_text() == text("theirs again")
    assert states(folder, instance) == {"a": "same"}


def test_the_same_prompt_on_both_sides_without_a_lock_is_no_conflict(folder: Folder) -> None:
    instance = Instance()
    instance.edit("a", "same")
    instance.edit("b", "one")
    save(folder, "a", "same")
    save(folder, "b", "other")
    assert states(folder, instance) == {"a": "same", "b": "conflict"}


def test_a_deleted_file_or_prompt_is_told_and_not_carried_out(folder: Folder) -> None:
    instance = Instance()
    for name in ("a", "b"):
        instance.edit(name, name)
    pull(folder, instance)
    file(folder, "a").unlink()
    del instance.versions["b"]
    assert states(folder, instance) == {"a": "deleted here", "b": "deleted there"}
    push(folder, instance, "")
    pull(folder, instance)
    assert list(instance.versions) == ["a"]
    assert file(folder, "b").exists()


def test_comments_in_a_file_survive_a_pull_that_changes_nothing(folder: Folder) -> None:
    instance = Instance()
    instance.edit("a", "one")
    folder.root.mkdir(parents=True)
    told = "---\n# why we say it so\nkind: text\n---\none\n"
    file(folder, "a").write_text(told)
    pull(folder, instance)
    assert file(folder, "a").read_text() == told
    assert states(folder, instance) == {"a": "same"}


def test_a_file_that_cannot_be_read_stops_a_push_and_is_not_overwritten(folder: Folder) -> None:
    instance = Instance()
    instance.edit("a", "one")
    folder.root.mkdir(parents=True)
    file(folder, "a").write_text("---\nkind: chat\n")
    with pytest.raises(FileFault, match=r"a\.prompt\.md:1: "):
        push(folder, instance, "")
    pull(folder, instance)
    assert file(folder, "a").read_text() == "---\nkind: chat\n"
    save(folder, "a", "mine, mended; theirs was never seen here")
    assert states(folder, instance) == {"a": "conflict"}


def test_partials_are_pushed_before_who_includes_them(folder: Folder) -> None:
    instance = Instance()
    save(folder, "a", "{% include 'z' %}")
    save(folder, "z", "last")
    made, _ = push(folder, instance, "")
    assert [status.name for status in made] == ["z", "a"]


BODIES = st.sampled_from(["one", "two", "three"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["here", "there", "pull", "push"]), st.sampled_from("ab"), BODIES),
    max_size=14,
)


@given(STEPS)
@settings(max_examples=40)
def test_no_order_of_edits_pulls_and_pushes_loses_anybodys_words(
    steps: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder, instance = Folder(Path(place)), Instance()
        for what, name, body in steps:
            before = {path.name: path.read_text() for path in folder.root.glob("*.md")}
            kept = {n: list(made) for n, made in instance.versions.items()}
            if what == "here":
                save(folder, name, body)
                continue
            if what == "there":
                instance.edit(name, body)
            elif what == "pull":
                base = folder.base()
                pull(folder, instance)
                for path, said in before.items():
                    now = (folder.root / path).read_text()
                    own = path.removesuffix(".prompt.md")
                    known = instance.versions.get(own, [])
                    assert now == said or (own in base and said in known), "a pull lost words"
            else:
                push(folder, instance, "")
                after = {path.name: path.read_text() for path in folder.root.glob("*.md")}
                assert after == before
            for own, versions in kept.items():
                assert instance.versions[own][: len(versions)] == versions
        pull(folder, instance)
        push(folder, instance, "")
        assert set(states(folder, instance).values()) <= {"same", "conflict"}
        lock = (folder.root / LOCK).read_bytes()
        pull(folder, instance)
        assert (folder.root / LOCK).read_bytes() == lock
