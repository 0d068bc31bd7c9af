"""Resampling of problems: one fixed set of resamples, so that whatever is compared is compared on the same.

Everything that belongs to one problem stays together, its repeats and seeds, its cost and its correctness,
under every strategy: the problem is the cluster.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NUM_RESAMPLES = 2000


@lru_cache(maxsize=4)
def resamples(num_problems: int, num_resamples: int = NUM_RESAMPLES) -> Floats:
    """Return how often each problem is in each resample: (num_resamples, num_problems).

    The same numbers always give the same resamples. Read-only.
    """
    drawn = np.random.default_rng(0).integers(num_problems, size=(num_resamples, num_problems))
    drawn += np.arange(num_resamples)[:, None] * num_problems
    counts = np.bincount(drawn.ravel(), minlength=num_resamples * num_problems)
    weights = counts.reshape(num_resamples, num_problems).astype(float)
    weights.setflags(write=False)
    return weights


def resampled_quantiles(rows: Floats, weights: Floats, q: float) -> Floats:
    """Return the `q`-quantile of each of `rows` (num_rows, num_values): (num_rows, num_resamples).

    It interpolates linearly between order statistics, as numpy's does on the values written out, and goes
    through the sorted values once, for all rows and resamples side by side.
    """
    order = np.argsort(rows, axis=1, kind="stable")
    position = q * (weights.sum(axis=1) - 1)
    narrow = np.int16 if weights.sum(axis=1).max() < np.iinfo(np.int16).max else np.int32  # twice as fast
    low, high = np.floor(position).astype(narrow), np.ceil(position).astype(narrow)
    counts = np.ascontiguousarray(weights.T, dtype=narrow)
    ranks, num_to_low, num_to_high = np.zeros((3, len(rows), len(weights)), narrow)
    for values in order.T:
        ranks += counts[values]
        num_to_low += ranks <= low
        num_to_high += ranks <= high
    in_order = np.take_along_axis(rows, order, axis=1)
    at_low = np.take_along_axis(in_order, num_to_low.astype(np.intp), axis=1)
    at_high = np.take_along_axis(in_order, num_to_high.astype(np.intp), axis=1)
    return np.asarray(at_low + (position - low) * (at_high - at_low))
