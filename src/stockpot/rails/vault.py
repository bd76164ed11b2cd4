"""Masking: what was found is replaced by its label, or by a placeholder that the answer undoes.

A vault belongs to one call and is kept nowhere. Within it the same text of the same type always
gets the same placeholder, and taking placeholders back restores every text that went through it to
the letter, whatever was in it before. It knows nothing of what it hides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from stockpot.rails.models import Finding

LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "DATE_TIME": "DATE",
    "DOMAIN_NAME": "DOMAIN",
    "US_SSN": "SSN",
}
"""What a type is called in a text. Any other type is its own label."""

LONGEST = 64
"""Characters of the longest placeholder; what opens a bracket is held back no longer."""

_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]{0,48}_[0-9]{1,9}\]")
_OPEN = re.compile(r"\[(?:[A-Z][A-Z0-9_]{0,58})?\Z")
_BEFORE_NUMBER = re.compile(r"_+(?=[0-9])")  # `[A_1]` is a placeholder, no label
_NOT_LABEL = re.compile(r"[^A-Z0-9_]+")
_LOOK_ALIKE = "LITERAL"

Escape = Callable[[str], str]


def may_collide(text: str) -> bool:
    """Whether something in a text looks like a placeholder, so that a vault has to know of it."""
    return "[" in text and _PLACEHOLDER.search(text) is not None


def label_of(kind: str) -> str:
    """A finding's type as it is written between brackets."""
    known = LABELS.get(kind)
    if known is not None:
        return known
    cleaned = _BEFORE_NUMBER.sub("", _NOT_LABEL.sub("_", kind.upper())).strip("_")[:40]
    return cleaned if cleaned[:1].isalpha() else f"X{cleaned}"


class Stretch:
    """Findings that touch one another, as the one stretch that is replaced."""

    __slots__ = ("end", "reversible", "start", "type")

    def __init__(self, start: int, end: int, kind: str, reversible: bool) -> None:
        self.start, self.end, self.type, self.reversible = start, end, kind, reversible


def stretches(reversible: Iterable[Finding], for_good: Iterable[Finding] = ()) -> list[Stretch]:
    """Findings in order, overlapping ones as one under the name of the longest; what is hidden for
    good stays hidden also where a reversible rule found it."""
    rows = [(f.start, -f.end, f.type, True) for f in reversible]
    rows += [(f.start, -f.end, f.type, False) for f in for_good]
    rows.sort()
    joined: list[Stretch] = []
    longest = 0
    for start, negative, kind, undone in rows:
        end = -negative
        if end <= start:
            continue
        if joined and start < joined[-1].end:
            last = joined[-1]
            if end - start > longest:
                last.type, longest = kind, end - start
            last.end = max(last.end, end)
            last.reversible = last.reversible and undone
        else:
            joined.append(Stretch(start, end, kind, undone))
            longest = end - start
    return joined


def masked(text: str, findings: Iterable[Finding]) -> str:
    """The text with every finding replaced by `[LABEL]`, for good."""
    parts: list[str] = []
    at = 0
    for one in stretches((), findings):
        parts += (text[at : one.start], f"[{label_of(one.type)}]")
        at = one.end
    return "".join((*parts, text[at:])) if parts else text


class Vault:
    """The placeholders of one call: what each stands for."""

    def __init__(self) -> None:
        self._hidden: dict[str, str] = {}  # placeholder -> what it stands for
        self._given: dict[tuple[str, str], str] = {}  # (label, text) -> placeholder
        self._counts: dict[str, int] = {}
        self._taken: set[str] = set()  # look-alikes that texts of this call hold

    def __len__(self) -> int:
        return len(self._hidden)

    def mask(self, text: str, findings: Sequence[Finding], for_good: Sequence[Finding] = ()) -> str:
        """The text with findings replaced by `[LABEL_n]`, and `for_good` by `[LABEL]`.

        Every text that goes to the model goes through here, also where nothing was found: what
        looks like a placeholder in it must not be taken for one afterwards.
        """
        alike = _PLACEHOLDER.findall(text) if "[" in text else ()
        if not findings and not for_good and not (alike and self._hidden):
            self._taken.update(alike)
            return text
        self._taken.update(one for one in alike if one not in self._hidden)
        parts: list[str] = []
        at = 0
        for one in stretches(findings, for_good):
            parts.append(self._literal(text[at : one.start]))
            if one.reversible:
                parts.append(self._placeholder(label_of(one.type), text[one.start : one.end]))
            else:
                parts.append(f"[{label_of(one.type)}]")
            at = one.end
        parts.append(self._literal(text[at:]))
        return "".join(parts)

    def _literal(self, text: str) -> str:
        """Text that was not found, with what looks like one of our placeholders hidden, too."""
        if "[" not in text or not self._hidden:
            return text

        def hide(found: re.Match[str]) -> str:
            alike = found[0]
            return self._placeholder(_LOOK_ALIKE, alike) if alike in self._hidden else alike

        return _PLACEHOLDER.sub(hide, text)

    def _placeholder(self, label: str, hidden: str) -> str:
        key = (label, hidden)
        given = self._given.get(key)
        while given is None:
            number = self._counts[label] = self._counts.get(label, 0) + 1
            fresh = f"[{label}_{number}]"
            if fresh not in self._taken and fresh not in self._hidden:
                given = self._given[key] = fresh
                self._hidden[fresh] = hidden
        return given

    def unmask(self, text: str, escape: Escape | None = None) -> str:
        """The text with placeholders taken back. `escape` writes what was hidden as its
        surroundings need it, for instance inside a JSON string."""
        if "[" not in text or not self._hidden:
            return text

        def shown(found: re.Match[str]) -> str:
            hidden = self._hidden.get(found[0])
            if hidden is None:
                return found[0]
            return escape(hidden) if escape is not None else hidden

        return _PLACEHOLDER.sub(shown, text)

    def unmask_stream(self, escape: Escape | None = None) -> Unmasking:
        """Takes placeholders back in a text that comes in pieces."""
        return Unmasking(self, escape)


class Unmasking:
    """One text in pieces on its way back. At most `LONGEST` characters are held back, and only from
    an open bracket on. `held` counts those that wait now, `most_held` the most that ever did."""

    def __init__(self, vault: Vault, escape: Escape | None = None) -> None:
        self._vault, self._escape = vault, escape
        self._waiting = ""
        self.most_held = 0

    @property
    def held(self) -> int:
        return len(self._waiting)

    def feed(self, piece: str) -> str:
        text = self._waiting + piece if self._waiting else piece
        begins = text.rfind("[")
        if begins < 0 or _OPEN.match(text, begins) is None:
            self._waiting = ""
            return self._vault.unmask(text, self._escape)
        self._waiting = text[begins:]
        self.most_held = max(self.most_held, len(self._waiting))
        return self._vault.unmask(text[:begins], self._escape)

    def finish(self) -> str:
        """What was held back; it was no placeholder."""
        rest, self._waiting = self._waiting, ""
        return rest
