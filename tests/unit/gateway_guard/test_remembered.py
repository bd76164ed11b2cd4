"""Texts that were found clean are not looked at again; those that a vault must know of are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stockpot.gateway.guard import asked
from stockpot.gateway.guard.ledger import Ledger
from stockpot.gateway.guard.table import GuardEntry
from stockpot.gateway.guard.work import Findings
from stockpot.rails import CompiledPolicy, Policy, Rule, Vault

if TYPE_CHECKING:
    from stockpot.rails import Ran, Where

RULES = (
    Rule("pii", "pii", ("input", "output"), "mask", reversible=True),
    Rule("words", "words", ("input",), "block", {"words": ["truffle"]}),
)


MENU = 'The menu has [soup](m) and {"dishes": [1, 2]}.'


def conversation(question: str, before: str = MENU) -> Any:
    roles = ("system", "user", "assistant", "user")
    said = (f"Follow it. {before}", "What is [there]?", f"I read it. {before}", question)
    return {"messages": [{"role": r, "content": t} for r, t in zip(roles, said, strict=True)]}


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that a policy looked at, in order."""
    found: list[str] = []
    run = CompiledPolicy.run

    def noted(self: CompiledPolicy, where: Where, text: str) -> list[Ran]:
        found.append(text)
        return list(run(self, where, text))

    monkeypatch.setattr(CompiledPolicy, "run", noted)
    return found


def ask(entry: GuardEntry, body: Any) -> list[str]:
    """What a call sends on."""
    findings = Findings(entry, Vault() if entry.reversible else None, Ledger("p"))
    slots = asked.texts_of("openai", "chat", body)
    findings.look(slots)
    return [slot.text for slot in slots]


def test_of_a_conversation_that_goes_on_only_the_new_turn_is_looked_at(looked: list[str]) -> None:
    entry = GuardEntry(Policy("p", "kitchen", RULES), {})
    ask(entry, conversation("And [today]?"))
    assert len(looked) == 4
    looked.clear()
    ask(entry, conversation("And tomorrow?"))
    assert looked == ["And tomorrow?"]


def test_what_the_model_said_is_not_clean_for_a_person_who_says_it(looked: list[str]) -> None:
    entry = GuardEntry(Policy("p", "kitchen", RULES), {})
    dear = "Take the truffle"
    said = conversation("Why?")
    said["messages"][2]["content"] = dear
    for _ in range(2):
        ask(entry, said)
    assert looked.count(dear) == 1
    findings = Findings(entry, Vault(), Ledger("p"))
    findings.look(asked.texts_of("openai", "chat", conversation(dear)))
    assert findings.stops


def test_what_looks_like_a_placeholder_is_looked_at_each_time_and_comes_back_as_it_was(
    looked: list[str],
) -> None:
    entry = GuardEntry(Policy("p", "kitchen", RULES), {})
    body = conversation("Write to cook@example.com", before="Keep [EMAIL_1] as it is.")
    for _ in range(2):
        looked.clear()
        system, _, _, question = ask(entry, body)
        assert "Follow it. Keep [EMAIL_1] as it is." in looked
        assert "cook@example.com" not in question
        assert "[EMAIL_1]" in system
        assert "[EMAIL_1]" not in question
