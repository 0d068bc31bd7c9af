"""95% intervals over problems; the problem is the unit that is resampled.

Knows nothing of what the numbers mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

NUM_RESAMPLES = 2000

Interval = tuple[float, float]


def proportion_ci95(num_successes: int, num_trials: int) -> Interval | None:
    """Return the Wilson score interval of a proportion; None without trials."""
    from scipy.stats import binomtest  # half a second or more, needed once a run

    if num_trials == 0:
        return None
    interval = binomtest(num_successes, num_trials).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def mean_ci95(values: Sequence[float]) -> Interval | None:
    """Return the percentile-bootstrap interval of a mean; None without values."""
    return ratio_ci95(values, [1.0] * len(values))


def ratio_ci95(numerators: Sequence[float], denominators: Sequence[float]) -> Interval | None:
    """Return the bootstrap interval of sum(numerators) / sum(denominators), pairs resampled together.

    A resample whose denominators are all 0 counts as infinite. None without pairs.
    """
    if not numerators:
        return None
    tops, bottoms = np.asarray(numerators, float), np.asarray(denominators, float)
    rows = np.random.default_rng(0).integers(len(tops), size=(NUM_RESAMPLES, len(tops)))
    sums = bottoms[rows].sum(axis=1)
    ratios = np.divide(tops[rows].sum(axis=1), sums, out=np.full(NUM_RESAMPLES, math.inf), where=sums != 0)
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest")
    return float(low), float(high)
