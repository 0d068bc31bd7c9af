"""Resampling of problems: one fixed set of resamples, so that whatever is compared is compared on the same.

Knows nothing of what the numbers mean. Everything that belongs to one problem stays together, its repeats and
seeds, its cost and its correctness, under every strategy: the problem is the cluster.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NUM_RESAMPLES = 2000


@lru_cache(maxsize=4)
def resamples(num_problems: int, num_resamples: int = NUM_RESAMPLES) -> Floats:
    """Return how often each problem stands in each resample: (num_resamples, num_problems).

    The same numbers give the same resamples, whoever asks. Read-only.
    """
    drawn = np.random.default_rng(0).integers(num_problems, size=(num_resamples, num_problems))
    drawn += np.arange(num_resamples)[:, None] * num_problems
    counts = np.bincount(drawn.ravel(), minlength=num_resamples * num_problems)
    weights = counts.reshape(num_resamples, num_problems).astype(float)
    weights.setflags(write=False)
    return weights


def resampled_quantile(values: Floats, weights: Floats, q: float) -> Floats:
    """Return the `q`-quantile of `values` (num_values,) in each resample: (num_resamples,).

    It interpolates linearly between order statistics, as numpy's does on the values written out.
    """
    order = np.argsort(values, kind="stable")
    ranks = np.cumsum(weights.astype(np.int32)[:, order], axis=1, dtype=np.int32)
    position = q * (ranks[:, -1] - 1)
    low, high = np.floor(position), np.ceil(position)
    at_low = values[order][(ranks <= low[:, None]).sum(axis=1)]
    at_high = values[order][(ranks <= high[:, None]).sum(axis=1)]
    return np.asarray(at_low + (position - low) * (at_high - at_low))
