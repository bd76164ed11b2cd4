"""The table of models and the spelling of references."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stockpot.core.errors import InvalidInput, NotFound
from stockpot.engines.models import HubSource, PathSource, PypiSource
from stockpot.engines.table import check_name, from_file, resolve, table


def test_every_known_model_is_pinned_by_digest_and_has_a_license_and_a_source() -> None:
    for spec in table().models:
        assert re.fullmatch(r"[0-9a-f]{64}", spec.sha256)
        assert spec.bytes > 0
        assert spec.license
        assert spec.sources
        assert check_name(spec.name) == spec.name


def test_the_default_models_are_a_labelled_chat_model_and_an_embedding_model() -> None:
    chat = resolve("smollm2-135m")
    assert (chat.kind, chat.label, chat.license, chat.smoke) == (
        "chat",
        "small smoke model",
        "Apache-2.0",
        True,
    )
    assert resolve(table().defaults.embedding).kind == "embedding"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("hub:acme/tiny-GGUF", HubSource("acme/tiny-GGUF", "main", "")),
        ("hub:acme/tiny@v1.2", HubSource("acme/tiny", "v1.2", "")),
        ("hub:acme/tiny@refs/pr/3:q/x.Q4.gguf", HubSource("acme/tiny", "refs/pr/3", "q/x.Q4.gguf")),
        ("hub:acme/tiny:x.gguf", HubSource("acme/tiny", "main", "x.gguf")),
    ],
)
def test_a_hub_reference_names_repository_revision_and_file(
    reference: str, expected: HubSource
) -> None:
    assert resolve(reference).sources == (expected,)


def test_a_foreign_model_is_named_after_its_file_unless_a_name_is_given() -> None:
    assert resolve("hub:acme/tiny@main:dir/My Model.Q4_1.gguf").name == "my-model.q4_1"
    assert resolve("hub:acme/Tiny-GGUF").name == "tiny-gguf"
    assert resolve("/models/Some File.gguf").name == "some-file"
    assert resolve("/models/Some File.gguf", name="mine").name == "mine"


@pytest.mark.parametrize("reference", ["hub:acme", "hub:acme/x:y.bin", "hub:", "hub:a/b@"])
def test_a_misspelt_hub_reference_is_refused_with_the_right_spelling(reference: str) -> None:
    with pytest.raises(InvalidInput, match="hub:OWNER/REPO"):
        resolve(reference)


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    with pytest.raises(NotFound, match="Did you mean 'smollm2-135m'"):
        resolve("smollm-135m")


@pytest.mark.parametrize("name", ["", "Echo", "a b", "-x", "echo", "a/b", "x" * 65])
def test_a_name_that_could_not_be_a_folder_or_is_taken_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(name)


def test_a_part_of_a_split_model_is_refused_with_the_command_that_joins_it() -> None:
    with pytest.raises(InvalidInput, match="--merge"):
        resolve("/models/big-00001-of-00003.gguf")


def test_a_foreign_file_may_not_take_a_known_models_name() -> None:
    with pytest.raises(InvalidInput, match="known model"):
        resolve("/models/x.gguf", name="smollm2-135m")


def test_a_carried_file_replaces_the_sources_and_a_wheel_keeps_its_recipe() -> None:
    spec = resolve("minilm-l6-v2")
    assert from_file(spec, Path("/x/m.gguf")).sources == (PathSource("/x/m.gguf"),)
    (source,) = from_file(spec, Path("/x/m.whl")).sources
    assert isinstance(source, PathSource)
    assert isinstance(source.wheel, PypiSource)
    assert source.wheel.convert == "minilm"
