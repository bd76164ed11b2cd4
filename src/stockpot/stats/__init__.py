"""Statistics of decisions: intervals, sequences, comparisons, power, multiplicity, agreement.

Pure functions of numbers, each with the paper that it follows. Knows numpy and scipy; knows no
run, no data set and no store. What is offered here is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.stats.agreement import (
        careful_kappa,
        clustered_kappa,
        cohen_kappa,
        fleiss_kappa,
        kappa_of_table,
        krippendorff_alpha,
        share_agreed,
    )
    from stockpot.stats.classes import F1, binary_f1, macro_f1
    from stockpot.stats.drifting import (
        Repeats,
        Shift,
        classes_shift,
        energy,
        mean_shift,
        mmd,
        repeats_shift,
    )
    from stockpot.stats.duration import Outlook, outlook, sequential_effect, share_spread_of
    from stockpot.stats.forecast import FEWEST_DAYS, Prediction, sum_to_come
    from stockpot.stats.inference import prediction_powered_mean, rogan_gladen
    from stockpot.stats.intervals import (
        Estimate,
        binomial_interval,
        clustered_mean,
        mean,
        quantile_of_t,
        wilson,
    )
    from stockpot.stats.multiplicity import discoveries_of_e, holm, holm_of_e
    from stockpot.stats.near import Pair, near_pairs
    from stockpot.stats.paired import (
        Comparison,
        bootstrap,
        compare,
        effect_size,
        exact_paired,
        non_inferior,
        non_inferiority_p,
        paired_difference,
        quantile_difference,
    )
    from stockpot.stats.power import minimum_detectable_effect, sample_size
    from stockpot.stats.ratio import SampleRatio, ratio_evidence, sample_ratio
    from stockpot.stats.repeats import pass_all, pass_any
    from stockpot.stats.sampled import Weighted, weighted_mean
    from stockpot.stats.sequences import (
        BURN_IN,
        TUNED,
        Band,
        NonInferiority,
        Sums,
        boundary,
        difference_sequence,
        mean_sequence,
        non_inferior_sequence,
        proportion_difference_sequence,
        proportion_sequence,
        share_spread,
        spread_of,
        warm,
        widest,
    )
else:
    __getattr__ = lazily(
        __name__,
        {
            "agreement": "careful_kappa clustered_kappa cohen_kappa fleiss_kappa kappa_of_table "
            "krippendorff_alpha share_agreed",
            "classes": "F1 binary_f1 macro_f1",
            "duration": "Outlook outlook sequential_effect share_spread_of",
            "forecast": "FEWEST_DAYS Prediction sum_to_come",
            "inference": "prediction_powered_mean rogan_gladen",
            "intervals": "Estimate binomial_interval clustered_mean mean quantile_of_t wilson",
            "near": "Pair near_pairs",
            "multiplicity": "discoveries_of_e holm holm_of_e",
            "paired": "Comparison bootstrap compare effect_size exact_paired non_inferior "
            "non_inferiority_p paired_difference quantile_difference",
            "power": "minimum_detectable_effect sample_size",
            "ratio": "SampleRatio ratio_evidence sample_ratio",
            "repeats": "pass_all pass_any",
            "drifting": "Repeats Shift classes_shift energy mean_shift mmd repeats_shift",
            "sampled": "Weighted weighted_mean",
            "sequences": "BURN_IN TUNED Band NonInferiority Sums boundary difference_sequence "
            "mean_sequence non_inferior_sequence proportion_difference_sequence "
            "proportion_sequence share_spread spread_of warm widest",
        },
    )

__all__ = [
    "BURN_IN",
    "F1",
    "FEWEST_DAYS",
    "TUNED",
    "Band",
    "Comparison",
    "Estimate",
    "NonInferiority",
    "Outlook",
    "Pair",
    "Prediction",
    "Repeats",
    "SampleRatio",
    "Shift",
    "Sums",
    "Weighted",
    "binary_f1",
    "binomial_interval",
    "bootstrap",
    "boundary",
    "careful_kappa",
    "classes_shift",
    "clustered_kappa",
    "clustered_mean",
    "cohen_kappa",
    "compare",
    "difference_sequence",
    "discoveries_of_e",
    "effect_size",
    "energy",
    "exact_paired",
    "fleiss_kappa",
    "holm",
    "holm_of_e",
    "kappa_of_table",
    "krippendorff_alpha",
    "macro_f1",
    "mean",
    "mean_sequence",
    "mean_shift",
    "minimum_detectable_effect",
    "mmd",
    "near_pairs",
    "non_inferior",
    "non_inferior_sequence",
    "non_inferiority_p",
    "outlook",
    "paired_difference",
    "pass_all",
    "pass_any",
    "prediction_powered_mean",
    "proportion_difference_sequence",
    "proportion_sequence",
    "quantile_difference",
    "quantile_of_t",
    "ratio_evidence",
    "repeats_shift",
    "rogan_gladen",
    "sample_ratio",
    "sample_size",
    "sequential_effect",
    "share_agreed",
    "share_spread",
    "share_spread_of",
    "spread_of",
    "sum_to_come",
    "warm",
    "weighted_mean",
    "widest",
    "wilson",
]
