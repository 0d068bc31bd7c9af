"""How right the best-scored of k samples is: exact, ties shared out evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tts_eval.statistics.bootstrap import Floats


def best_of_k(scores: ArrayLike, values: ArrayLike) -> Floats:
    """Return the expected value of the best-scored of k of n samples, for k = 1 … n: (n,).

    `scores` and `values` are (n,); values are 1 for a right sample and 0 for a wrong one, or anything else
    that is to be averaged (the scores themselves give the expected best score). A block of equal scores at
    ranks a+1 … b is the best with chance [C(n-a, k) - C(n-b, k)] / C(n, k), whichever of them is taken.
    """
    score, value = np.asarray(scores, float), np.asarray(values, float)
    n = len(score)
    if n == 0:
        raise ValueError("there must be at least one sample")
    order = np.argsort(-score, kind="stable")
    ranked = score[order]  # not their differences: samples that are never chosen have -inf, all of them
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    ends = np.append(starts[1:], n)
    block_values = np.add.reduceat(value[order], starts) / (ends - starts)
    none_above = _none_among(n)
    return np.asarray((none_above[starts] - none_above[ends]).T @ block_values)


def _none_among(n: int) -> Floats:
    """Return C(n-a, k) / C(n, k), the chance that none of the first a is drawn: row a, column k-1."""
    left = n - np.arange(n + 1)[:, None]
    drawn = np.arange(n)[None, :]
    return np.asarray(np.cumprod(np.clip(left - drawn, 0, None) / (n - drawn), axis=1))
