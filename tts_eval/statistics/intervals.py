"""95% intervals over problems; the problem is the unit that is resampled.

Knows nothing of what the numbers mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

NUM_RESAMPLES = 2000

Interval = tuple[float, float]


def proportion_ci95(num_successes: int, num_trials: int) -> Interval | None:
    """Return the score interval of a proportion (Wilson, JASA 22, 1927); None without trials.

    Written out, because importing scipy.stats for these four lines takes seconds.
    """
    if num_trials == 0:
        return None
    z, p = NormalDist().inv_cdf(0.975), num_successes / num_trials
    centre = p + z**2 / (2 * num_trials)
    half = z * math.sqrt(p * (1 - p) / num_trials + (z / (2 * num_trials)) ** 2)
    width = 1 + z**2 / num_trials
    return max(0.0, (centre - half) / width), min(1.0, (centre + half) / width)


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
