"""What judges say and how they fared, as runs, judges and certificates all keep it. Frozen.

Costs are integer nano-dollars, None where no price is known.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Missing = Literal["", "parse", "abstained", "error", "apart"]
"""Why there is no verdict: what the model said could not be read, it abstained, it could not be
asked, or a jury was split evenly. A row without a verdict is missing; it is never counted as 0."""


class Vote(Frozen):
    """What one call said. `order` is `ab` where the judged answer stood first, `ba` where it stood
    second, and `` where one was shown."""

    judge: str = ""
    order: Literal["", "ab", "ba"] = ""
    label: str = ""
    value: float | None = None
    missing: Missing = ""
    reason: str = ""
    trace_id: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached: bool = False


class Judgement(Frozen):
    """What a judge says of one row, with the votes it comes from. `consistent` tells of a pair
    whether both orders said the same; `agreed` of a jury the share that said what was decided."""

    item: str
    label: str = ""
    value: float | None = None
    missing: Missing = ""
    reason: str = ""
    consistent: bool | None = None
    agreed: float | None = None
    cost_nano: int | None = 0
    votes: tuple[Vote, ...] = ()


class Tally(Frozen):
    """How a judge fared over rows and calls. `parse_share` is the share of calls whose answer could
    not be read; `pairs` were shown in both orders, `consistent` of them got the same word twice;
    `first_shown` is the share of readable calls that preferred whatever stood first (0.5 when the
    order does not matter). `split` counts rows on which a jury was not of one mind; `error` is the
    most frequent of the reasons why calls failed."""

    rows: int = 0
    judged: int = 0
    parse: int = 0
    abstained: int = 0
    errors: int = 0
    error: str = ""
    apart: int = 0
    calls: int = 0
    cached: int = 0
    unread: int = 0
    parse_share: float = 0.0
    pairs: int = 0
    consistent: int = 0
    swap_consistency: float | None = None
    first_shown: float | None = None
    juries: int = 0
    split: int = 0
    cost_nano: int | None = 0


class Estimated(Frozen):
    """A value with its 95 % interval; null where the data do not tell. `method` names how."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str = ""


class Corrected(Frozen):
    """The score that people would have given, estimated from few of their labels and many of the
    judge's: `estimate` by prediction-powered inference (PPI++, Angelopoulos, Duchi and Zrnic 2023);
    `rogan_gladen` from the judge's errors, for verdicts that are yes or no (Rogan and Gladen 1978;
    interval of Lang and Reiczigel 2014). `naive` is the judge's own mean, `people` the mean of the
    labels alone. Holds as far as labelled and judged rows come from the same place."""

    naive: float
    estimate: Estimated
    people: Estimated
    rogan_gladen: Estimated | None = None
    labelled: int
    judged: int
