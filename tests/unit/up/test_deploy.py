"""The files for service managers and containers say what the documentation promises."""

from __future__ import annotations

import configparser
import importlib.util
import mmap
import re
from pathlib import Path

from stockpot.core import config

DEPLOY = Path(__file__).parents[3] / "deploy"


def test_the_unit_drains_and_runs_without_privileges() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string((DEPLOY / "stockpot.service").read_text("utf-8"))
    service = unit["Service"]
    assert service["KillMode"] == "mixed"
    assert float(service["TimeoutStopSec"]) > config.load({}).drain_s
    assert service["User"] not in ("", "root")
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["ExecStart"].endswith("stockpot up --no-pull")


def test_the_image_has_no_root_and_writes_to_its_volume_only() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    last = {word[0]: word[1] for word in words if len(word) == 2}
    assert last["USER"].isdigit()
    assert int(last["USER"]) > 0
    assert last["VOLUME"] == "/state"
    assert "STOCKPOT_HOME=/state" in last["ENV"]


def test_the_image_has_what_the_engines_link_to_and_is_sent_one_wheel_alone() -> None:
    image = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    spec = importlib.util.find_spec("xllamacpp")
    assert spec is not None
    assert spec.origin is not None
    (engine,) = Path(spec.origin).parent.glob("xllamacpp*.so")
    with engine.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        assert text.find(b"libgomp.so.1") >= 0
    assert re.search(r"apt-get install -y --no-install-recommends\s+libgomp1\b", image)
    sent = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert sent[1:] == ["*", "!dist/stockpot-*.whl"]
    assert "COPY dist/stockpot-*.whl" in image
