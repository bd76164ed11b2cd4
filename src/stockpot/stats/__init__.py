"""Statistics of decisions: intervals, paired comparisons, power, multiplicity, agreement.

Pure functions of numbers, each with the paper that it follows. Knows numpy and scipy; knows no
run, no data set and no store. What is offered here is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.stats.agreement import (
        cohen_kappa,
        fleiss_kappa,
        kappa_of_table,
        krippendorff_alpha,
        share_agreed,
    )
    from stockpot.stats.classes import F1, binary_f1, macro_f1
    from stockpot.stats.forecast import FEWEST_DAYS, Prediction, sum_to_come
    from stockpot.stats.intervals import Estimate, clustered_mean, mean, quantile_of_t, wilson
    from stockpot.stats.multiplicity import holm
    from stockpot.stats.near import Pair, near_pairs
    from stockpot.stats.paired import (
        Comparison,
        bootstrap,
        compare,
        effect_size,
        exact_paired,
        non_inferior,
        paired_difference,
    )
    from stockpot.stats.power import minimum_detectable_effect, sample_size
    from stockpot.stats.repeats import pass_all, pass_any
else:
    __getattr__ = lazily(
        __name__,
        {
            "agreement": "cohen_kappa fleiss_kappa kappa_of_table krippendorff_alpha share_agreed",
            "classes": "F1 binary_f1 macro_f1",
            "forecast": "FEWEST_DAYS Prediction sum_to_come",
            "intervals": "Estimate clustered_mean mean quantile_of_t wilson",
            "near": "Pair near_pairs",
            "multiplicity": "holm",
            "paired": "Comparison bootstrap compare effect_size exact_paired non_inferior "
            "paired_difference",
            "power": "minimum_detectable_effect sample_size",
            "repeats": "pass_all pass_any",
        },
    )

__all__ = [
    "F1",
    "FEWEST_DAYS",
    "Comparison",
    "Estimate",
    "Pair",
    "Prediction",
    "binary_f1",
    "bootstrap",
    "clustered_mean",
    "cohen_kappa",
    "compare",
    "effect_size",
    "exact_paired",
    "fleiss_kappa",
    "holm",
    "kappa_of_table",
    "krippendorff_alpha",
    "macro_f1",
    "mean",
    "minimum_detectable_effect",
    "near_pairs",
    "non_inferior",
    "paired_difference",
    "pass_all",
    "pass_any",
    "quantile_of_t",
    "sample_size",
    "share_agreed",
    "sum_to_come",
    "wilson",
]
