"""Calls that meet experiments, through a real worker: arms, headers, records, nothing broken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stockpot.assign import EXPERIMENTS_PART, WHOLE, Arm, Document, Experiment, draw
from stockpot.gateway import Part, Record
from stockpot.templates import PROMPTS_PART, Message, PromptsPart, Published, Version
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.integration


def experiment(name: str, kind: Any, subject: str, targets: tuple[str, str], **more: Any) -> Any:
    arms = (Arm("now", 5000, targets[0]), Arm("new", 5000, targets[1]))
    made = Experiment(
        f"exp_{name}", name, "default", kind, subject, "user", f"salt of {name}", arms, WHOLE, "now"
    )
    return msgspec.structs.replace(made, **more)


WORDING = experiment("wording", "label", "menu@production", ("menu@1", "menu@2"))
MODEL = experiment("model", "alias", "small", ("small", "large"))
AWAY = experiment("away", "alias", "other", ("nowhere", "nobody"), unit="session")
PART = experiment("part", "route", "third", ("third", "large"), unit="header:x-shop", share=2500)
FAULTY = experiment("faulty", "route", "small", ("a", "b"), control="nobody")
META = experiment("meta", "alias", "fourth", ("large", "large"), unit="metadata:shop")
LATER = experiment("later", "alias", "fifth", ("large", "large"), unit="key", starts_ms=1 << 42)


def started(rig: Rig) -> Rig:
    for name in ("small", "large", "other", "third", "fourth", "fifth"):
        rig.route(name, rig.target(f"upstream-{name}"))
    versions = tuple(
        Version("menu", n, "chat", messages=(Message("user", f"v{n}: {{{{ dish }}}}"),),
                model="small", content_hash=str(n))
        for n in (1, 2)
    )  # fmt: skip
    prompts = PromptsPart((Published("default", "menu", {"production": 1}, versions),))
    document = Document(3, (FAULTY, WORDING, MODEL, AWAY, PART, META, LATER))
    rig.parts = (
        Part(PROMPTS_PART, 1, msgspec.msgpack.encode(prompts)),
        Part(EXPERIMENTS_PART, 1, msgspec.msgpack.encode(document)),
    )
    return rig.start()


def test_each_subject_of_a_call_is_split_and_the_record_and_the_answer_say_so(rig: Rig) -> None:
    started(rig)
    asked: dict[str, Any] = {
        "model": "prompt:menu",
        "messages": [],
        "prompt_variables": {"dish": "soup"},
    }
    seen = set()
    for number in range(20):
        user = f"user {number}"
        wording, model = draw(WORDING, user), draw(MODEL, user)
        assert wording
        assert model
        more: dict[str, Any] = (
            {"headers": {"x-stockpot-user": user}} if number % 2 else {"user": user}
        )
        answer = rig.post(**asked, **more)
        assert answer.status_code == 200, answer.text
        told = f"wording; arm={wording.arm.name}, model; arm={model.arm.name}"
        assert answer.headers["x-stockpot-experiment"] == told
        assert answer.headers["x-stockpot-prompt"] == wording.arm.target
        record = rig.records(number + 1)[-1]
        assert record.exposures == (
            ("wording", wording.arm.name, wording.unit), ("model", model.arm.name, model.unit)
        )  # fmt: skip
        assert (record.route, record.model) == ("small", f"upstream-{model.arm.target}")
        assert record.prompt_label == "production"
        assert record.prompt_version == wording.arm.target[-1]
        said = rig.stub.requests[-1]["messages"][0]["content"]
        assert said == f"v{record.prompt_version}: soup"
        seen.add(told)
    assert len(seen) == 4


def test_a_call_without_a_unit_gets_the_control_and_one_that_cannot_be_split_goes_its_way(
    rig: Rig,
) -> None:
    started(rig)
    named = {"x-stockpot-session": "s", "x-shop": "shop 1", "x-stockpot-user": "u"}
    inside, outside = (
        next(shop for n in range(99) if bool(draw(PART, shop := f"shop {n}")) is takes_part)
        for takes_part in (True, False)
    )
    calls: list[tuple[str, dict[str, Any], str, int]] = [
        ("small", {}, "upstream-small", 0),  # no unit
        ("other", {"headers": named}, "upstream-other", 0),  # targets that are not served here
        ("third", {"headers": {"x-shop": outside}}, "upstream-third", 0),
        ("third", {"headers": {"x-shop": inside}}, "", 1),
        ("fourth", {"metadata": {"shop": "x"}}, "upstream-large", 1),
        ("fourth", {}, "upstream-large", 0),  # no unit: the control's target all the same
        ("fifth", {}, "upstream-fifth", 0),  # has not begun
    ]
    for number, (model, more, served, exposed) in enumerate(calls):
        answer = rig.post(model=model, **more)
        assert answer.status_code == 200, answer.text
        record: Record = rig.records(number + 1)[-1]
        assert record.model == (served or record.model), model
        assert len(record.exposures) == exposed
        assert ("x-stockpot-experiment" in answer.headers) is bool(exposed)
    used = {"x-stockpot-experiment-used": f"my%20test; arm=b; unit={'a' * 24}, torn; arm=x"}
    rig.post(model="large", headers=used)
    assert rig.records(len(calls) + 1)[-1].exposures == (("my test", "b", "a" * 24),)
