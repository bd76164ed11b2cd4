"""The console offers a field for everything that is billed apart."""

from __future__ import annotations

import re
from pathlib import Path

from stockpot.prices import BUCKETS

FORM = Path(__file__).parents[3] / "web/src/settings/price-draft.ts"


def test_every_bucket_of_a_bill_can_be_priced_in_the_console_once() -> None:
    table = FORM.read_text("utf-8").split("export const BUCKETS", 1)[1].split("] as const", 1)[0]
    assert sorted(re.findall(r'\["(\w+)"', table)) == sorted(BUCKETS)
