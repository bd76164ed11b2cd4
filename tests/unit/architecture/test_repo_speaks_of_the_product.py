"""What is committed speaks of the product alone: no registry, no machine, no place of work."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
HERE = Path(__file__).relative_to(REPO).as_posix()
LICENCES = re.compile(r"(^|/)LICEN[CS]E")

REGISTRIES = (
    r"\bpypi\.(org|python\.org)\b",
    r"\bpythonhosted\.org\b",
    r"\bregistry\.(npmjs\.org|yarnpkg\.com)\b",
    r"\b(deb|security)\.debian\.org\b",
    r"index-url\s*=?\s*https?:",
)
MACHINES = (r"file://\S*(\.whl|/simple)\b", r"(?<![\w.])/(root|work|home/\w+|opt/\w+)/")
WORKPLACE = (r"\bblueprint\b", r"\bMISSION\b", r"\bissues? #?\d+\b", r"\bshared/(?=[a-z])")


def committed() -> list[str]:
    """Tracked files, and those that would be tracked."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    return [name for name in names.split("\0") if name and (REPO / name).is_file()]


def mentions(patterns: tuple[str, ...]) -> list[str]:
    wanted = re.compile("|".join(patterns), re.IGNORECASE)
    found = []
    for name in committed():
        if name == HERE or LICENCES.search(name):
            continue
        text = (REPO / name).read_bytes().decode("utf-8", "replace")
        if "\0" in text:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if match := wanted.search(line):
                found.append(f"{name}:{number}: {match[0]!r}")
    return found


@pytest.mark.parametrize("patterns", [REGISTRIES, MACHINES, WORKPLACE])
def test_no_committed_file_names_a_registry_a_machine_or_a_workplace(
    patterns: tuple[str, ...],
) -> None:
    assert not mentions(patterns)


def test_no_commit_message_names_the_workplace() -> None:
    log = subprocess.run(["git", "log", "--format=%h %B"], cwd=REPO, capture_output=True, text=True)
    assert not re.findall("|".join((*MACHINES, *WORKPLACE)), log.stdout, re.IGNORECASE)


def test_python_locks_pin_every_requirement_by_hash() -> None:
    for name in ("base", "dev", "bootstrap"):
        text = (REPO / f"requirements/{name}.txt").read_text("utf-8").replace("\\\n", "")
        for line in text.splitlines():
            assert re.match(r"[A-Za-z0-9._-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_the_development_lock_holds_the_base_lock() -> None:
    base, dev = (
        {
            line.split()[0]
            for line in (REPO / f"requirements/{name}.txt").read_text("utf-8").splitlines()
            if "==" in line
        }
        for name in ("base", "dev")
    )
    assert base <= dev


def npm_locks() -> dict[str, dict[str, dict[str, object]]]:
    names = [name for name in committed() if name.endswith("package-lock.json")]
    return {name: json.loads((REPO / name).read_text("utf-8"))["packages"] for name in names}


def test_npm_locks_pin_every_package_by_hash_and_name_no_host() -> None:
    for name, packages in npm_locks().items():
        for path, row in packages.items():
            assert "resolved" not in row or row.get("link"), f"{name}: {path}"
            assert "integrity" in row or not path.startswith("node_modules"), f"{name}: {path}"


def test_npm_locks_are_of_their_manifests() -> None:
    """`npm install` mends a lock that lags behind its manifest in silence; so this says it."""
    for name, packages in npm_locks().items():
        manifest = json.loads((REPO / name).with_name("package.json").read_text("utf-8"))
        for kind in ("dependencies", "devDependencies"):
            assert packages[""].get(kind) == manifest.get(kind), f"{name}: {kind}"
