"""How long a sign-in waits after failures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stockpot.access import attempts


def test_a_few_failures_are_free_then_the_wait_doubles_up_to_its_end() -> None:
    waits = [attempts.BOTH.wait_ms(count) // 1000 for count in range(16)]
    assert waits == [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


def test_guesses_at_an_account_from_everywhere_are_slowed_without_locking_its_owner_out() -> None:
    assert attempts.ACCOUNT.wait_ms(29) == 0
    assert attempts.ACCOUNT.wait_ms(10_000) == 30_000


@given(count=st.integers(0, 10**9))
def test_more_failures_never_wait_less(count: int) -> None:
    for patience in (attempts.BOTH, attempts.ACCOUNT, attempts.ADDRESS):
        assert patience.wait_ms(count) <= patience.wait_ms(count + 1)


def test_the_longest_wait_counts_and_it_passes() -> None:
    patience = attempts.scopes("ana@example.org", "203.0.113.7")
    both, account, _ = patience
    failures = {both: (5, 1_000), account: (31, 1_000)}
    assert attempts.wait_ms(patience, failures, 1_000) == 8_000
    assert attempts.wait_ms(patience, failures, 8_999) == 1
    assert attempts.wait_ms(patience, failures, 9_000) == 0
    assert attempts.wait_ms(patience, {}, 0) == 0
