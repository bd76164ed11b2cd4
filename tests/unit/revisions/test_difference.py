"""Comparing states, and carrying a change onto another state."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stockpot.revisions.difference import Content, at, difference, digest_of, patched, path_text

NAMES = st.sampled_from(["a", "b", "team/fast", "x y"])
VALUES = st.one_of(
    st.integers(1, 3), st.text("xy", min_size=1, max_size=2), st.lists(st.integers(0, 2))
)
FIELDS = st.dictionaries(st.sampled_from(["rpm", "models", "limits"]), VALUES)
SECTIONS = st.sampled_from(["aliases", "keys"])
STATES: Any = st.dictionaries(SECTIONS, st.dictionaries(NAMES, FIELDS, min_size=1))


@given(STATES, STATES)
def test_a_state_with_the_difference_to_another_is_the_other(one: Content, other: Content) -> None:
    assert patched(one, difference(one, other)) == other


@given(STATES)
def test_a_state_does_not_differ_from_itself(state: Content) -> None:
    assert difference(state, state) == ()
    assert digest_of(state) == digest_of(dict(reversed(state.items())))


@given(STATES, STATES, STATES)
def test_a_change_leaves_alone_what_it_does_not_name(
    one: Content, other: Content, elsewhere: Content
) -> None:
    changes = difference(one, other)
    named = {change.path[:2] for change in changes}
    made = patched(elsewhere, changes)
    for section, entries in elsewhere.items():
        for name, fields in entries.items():
            if (section, name) not in named:
                assert at(made, (section, name)) == fields


@given(STATES, STATES)
def test_states_are_equal_exactly_when_their_digests_are(one: Content, other: Content) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)


def test_a_path_is_written_as_toml_would() -> None:
    assert path_text(("aliases", "team/fast", "targets")) == 'aliases."team/fast".targets'
    assert path_text(("keys", "my-app", "state")) == "keys.my-app.state"
