"""One call under a policy: what was said of its request, and its answer on the way out.

An answer that is whole is looked at whole, and may be edited, refused, asked for again or asked of
another route. A streamed one goes through an `Editor`; where a rule may have to ask again, it is
held until it is whole. While rails of the input still work (`waiting`) nothing leaves at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from stockpot.gateway.guard.again import asked_again
from stockpot.gateway.guard.editor import Editor
from stockpot.gateway.guard.ledger import Ledger
from stockpot.gateway.guard.refusing import refusal
from stockpot.gateway.guard.slots import Slot, json_text
from stockpot.gateway.guard.turns import Turns
from stockpot.gateway.guard.whole import Held, Plain, Whole, read_answer
from stockpot.gateway.guard.work import Elsewhere, Findings
from stockpot.rails import Outcome, Vault

if TYPE_CHECKING:
    from stockpot.gateway.attempt import Attempt
    from stockpot.gateway.call import Call
    from stockpot.gateway.guard.table import GuardEntry
    from stockpot.gateway.models import Verdict

MOST_AGAIN = 1
"""How often the model is asked again about one call."""

_running: set[asyncio.Task[None]] = set()


class Guard:
    """See the module's docstring."""

    __slots__ = (
        "_again", "_later", "_turns", "call", "digest", "elsewhere", "entry", "ledger", "vault",
        "waiting",
    )  # fmt: skip

    def __init__(self, call: Call, entry: GuardEntry, elsewhere: Elsewhere, turns: Turns) -> None:
        self.call = call
        self.entry = entry
        self.digest = entry.digest
        self.ledger = Ledger(entry.name)
        self.vault = Vault() if entry.reversible else None
        self.waiting = False
        """Whether rails of the input still work while the model is asked already."""
        self._later: Callable[[], None] | None = None
        self.elsewhere = elsewhere
        self._turns = turns
        self._again = 0

    def told(self) -> tuple[Verdict, ...]:
        """For the record."""
        return self.ledger.told()

    @property
    def cacheable(self) -> bool:
        """Whether an answer to this call may be given to another one, or another's to it."""
        return not self.waiting and not self.vault

    # --- the input's rails, beside the model --------------------------------------------------

    def wait_for(self, findings: Findings) -> None:
        """Go on with the call; nothing leaves before the rails elsewhere have cleared it."""
        self.waiting = True
        beside(self._clear(findings))

    async def _clear(self, findings: Findings) -> None:
        await findings.look_longer(self.elsewhere)
        self.waiting = False
        found = findings.strongest
        attempts = self.call.attempts
        if self.call.answered or attempts is None:
            return
        later, self._later = self._later, None
        if findings.stops and found is not None:
            attempts.refuse(refusal(self.entry, found, "the request"))
        elif later is not None:
            later()

    def holds_back(self, later: Callable[[], None]) -> bool:
        """Whether what follows has to wait for the input's rails; it is then done afterwards."""
        if self.waiting:
            self._later = later
        return self.waiting

    # --- answers ------------------------------------------------------------------------------

    def gate(self, attempt: Attempt) -> StreamGate:
        """What a stream of an attempt goes through."""
        return StreamGate(self, attempt)

    def editor(self) -> Editor | Held | None:
        """What a stream of this call goes through; None where answers are not looked at."""
        looks = self.entry.says or bool(self.vault)
        if self.entry.holds:
            return Held(self.call.dialect.name)
        if not looks:
            return None
        return Editor(self.call.dialect.name, self.entry.policy, self.vault)

    def whole(self, attempt: Attempt, out: bytes) -> None:
        """Take over an answer that is whole; its attempt has ended well."""
        if self.holds_back(lambda: self.whole(attempt, out)):
            return
        if not self.entry.says and not self.vault:
            attempt.deliver(out)
            return
        key = self.call.key
        assert key is not None
        self._turns.run(key.spec.project, lambda: self._read(attempt, out))

    def _read(self, attempt: Attempt, out: bytes) -> None:
        ask = self.call.ask
        assert ask is not None
        if not self.call.answered:
            self._judge(attempt, read_answer(self.call.dialect.name, ask.endpoint, out))

    def held(self, attempt: Attempt, answer: Held) -> None:
        """Take over a stream that was held until its end."""
        if self.holds_back(lambda: self.held(attempt, answer)):
            return
        self._judge(attempt, answer)

    def _judge(self, attempt: Attempt, answer: Whole | Held | Plain) -> None:
        findings = Findings(self.entry, None, self.ledger)
        findings.look(answer.slots if self.entry.says else ())
        if findings.jobs:
            beside(self._judge_longer(attempt, answer, findings))
        else:
            self._conclude(attempt, answer, findings)

    async def _judge_longer(
        self, attempt: Attempt, answer: Whole | Held | Plain, findings: Findings
    ) -> None:
        await findings.look_longer(self.elsewhere)
        if not self.call.answered:
            self._conclude(attempt, answer, findings)

    def _conclude(self, attempt: Attempt, answer: Whole | Held | Plain, findings: Findings) -> None:
        found = findings.strongest
        if found is not None and findings.stops:
            if found.action == "route" and self._elsewhere_asked(attempt, found):
                return
            if found.action == "reask" and self._asked_again(attempt, answer, found):
                return
            attempt.refuse(refusal(self.entry, found, "the answer"))
            return
        if self.vault:
            for slot in answer.slots:
                self._show(slot)
            answer.changed = True
        attempt.deliver(answer.written(changed=findings.changed))

    def _show(self, slot: Slot) -> None:
        assert self.vault is not None
        text = slot.text
        shown = self.vault.unmask(text, json_text if slot.in_json else None)
        if shown != text:
            slot.text = shown

    def _asked_again(self, attempt: Attempt, answer: Any, found: Outcome) -> bool:
        """Ask the model once more, told what was wrong; False where that was done already."""
        attempts = self.call.attempts
        if self._again >= MOST_AGAIN or attempts is None or self.call.client_lost:
            return False
        body = asked_again(self.call, answer, found)
        if body is None:
            return False
        self._again += 1
        self.call.asks(body)
        attempts.again(attempt, "reask")
        return True

    def _elsewhere_asked(self, attempt: Attempt, found: Outcome) -> bool:
        """Ask another route for the answer; False where there is none, or it was asked."""
        attempts = self.call.attempts
        route = self.call.view.routes.get(found.route_to)
        if route is None or attempts is None or self._again or self.call.client_lost:
            return False
        self._again += 1
        self.call.route = route
        return attempts.onward(attempt, route, f"guardrail:{found.rule}")

    # --- streams ------------------------------------------------------------------------------

    def streamed(self, editor: Editor) -> None:
        """Note what an editor has found when its stream is over."""
        for where, outcome in editor.verdicts:
            self.ledger.note(where, outcome)
        editor.verdicts.clear()
        self.ledger.waited = max(self.ledger.waited, editor.most_held)


class StreamGate:
    """What is cleared goes on at once, while nothing of the input is waited for."""

    __slots__ = ("_attempt", "_editor", "_guard", "_waiting")

    def __init__(self, guard: Guard, attempt: Attempt) -> None:
        self._guard = guard
        self._attempt = attempt
        self._editor = guard.editor()
        self._waiting: list[bytes] = []

    def pass_on(self, out: bytes) -> None:
        """More of the stream, in the client's dialect."""
        answer, editor = self._attempt.answer, self._editor
        assert answer is not None
        if answer.ended:
            self.end(out)
            return
        if editor is not None:
            out = editor.feed(out)
        if out:
            self._waiting.append(out)
        if editor is not None and not isinstance(editor, Held) and editor.stopped is not None:
            self._stop(editor.stopped)
        elif not self._guard.holds_back(self._flush):
            self._flush()

    def _flush(self) -> None:
        attempt, waiting = self._attempt, self._waiting
        if waiting and not attempt.over and not attempt.call.client_lost:
            attempt.write(b"".join(waiting))
            waiting.clear()

    def end(self, rest: bytes) -> None:
        """The stream has ended well; `rest` is the last of it."""
        editor, attempt = self._editor, self._attempt
        attempt.ended_well()
        if isinstance(editor, Held):
            editor.feed(rest)
            editor.end()
            self._guard.held(attempt, editor)
            return
        if editor is not None:
            rest = editor.feed(rest) + editor.finish()
            if editor.stopped is not None:
                self._waiting.append(rest)
                self._stop(editor.stopped)
                return
            self._guard.streamed(editor)
        self._waiting.append(rest)
        if not self._guard.holds_back(self._finish):
            self._finish()

    def _finish(self) -> None:
        attempt = self._attempt
        if not attempt.call.answered:
            attempt.deliver(b"".join(self._waiting))

    def _stop(self, found: Outcome) -> None:
        """What was cleared before goes out; then the stream ends with an error of its dialect."""
        guard, attempt = self._guard, self._attempt
        assert self._editor is not None
        assert not isinstance(self._editor, Held)
        guard.streamed(self._editor)
        attempt.cancel()
        if not guard.holds_back(lambda: self._stopped(found)):
            self._stopped(found)

    def _stopped(self, found: Outcome) -> None:
        attempt = self._attempt
        if attempt.call.answered:
            return
        if self._waiting and not attempt.call.client_lost:
            attempt.write(b"".join(self._waiting))
        attempt.refuse(refusal(self._guard.entry, found, "the answer"))


def beside(work: Coroutine[Any, Any, None]) -> None:
    """Run something that its call waits for."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
