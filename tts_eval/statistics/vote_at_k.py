"""How right a vote among k samples is: exact for a plain vote, over fixed random subsets for a weighted one.

Ties are shared out evenly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tts_eval.statistics.bootstrap import Floats

NUM_SUBSETS = 1000
MOST_SAMPLES = 1000  # beyond, the binomial coefficients leave the range of a float


def maj_at_k(classes: Sequence[int | None], correct: int | None) -> Floats:
    """Return the chance that a vote among k of the samples is right, for k = 1 … n: (n,).

    `correct` is the class of the right answer, None where no sample states it. With n_i samples in class i, u
    without an answer and c in the right class, j being how many right ones are drawn and t how many other
    classes have j as well:

        sum over j of C(c, j) · sum over t of [x^(k-j) y^t] (1+x)^u · prod over i of
        (sum over l < j of C(n_i, l) x^l + y · C(n_i, j) x^j) / (t+1), all over C(n, k)
    """
    counts = Counter(classes)
    num_unparsed = counts.pop(None, 0)
    num_right = counts.pop(correct, 0) if correct is not None else 0
    return _maj_at_k(num_right, tuple(sorted(counts.values())), num_unparsed).copy()


@lru_cache(maxsize=4096)
def _maj_at_k(num_right: int, others: tuple[int, ...], num_unparsed: int) -> Floats:
    n = num_right + sum(others) + num_unparsed
    if not 1 <= n <= MOST_SAMPLES:
        raise ValueError(f"there must be 1 to {MOST_SAMPLES} samples, not {n}")
    ways = np.zeros(n + 1)  # by k
    for j in range(1, num_right + 1):
        rest = _ways_without_the_right(j, others, num_unparsed, n - j)
        shared = rest @ (1 / np.arange(1, rest.shape[1] + 1))
        ways[j:] += math.comb(num_right, j) * shared
    return np.asarray(ways[1:] / np.array([float(math.comb(n, k)) for k in range(1, n + 1)]))


def _ways_without_the_right(j: int, others: tuple[int, ...], num_unparsed: int, most_drawn: int) -> Floats:
    """Return the coefficients of x^d y^t: (most_drawn + 1, number of classes that may tie + 1)."""
    num_tying = sum(size >= j for size in others)
    ways = np.zeros((most_drawn + 1, num_tying + 1))
    drawn = min(num_unparsed, most_drawn)
    ways[: drawn + 1, 0] = [float(math.comb(num_unparsed, d)) for d in range(drawn + 1)]
    for size in others:
        longer = np.zeros_like(ways)
        for d in range(min(j, size + 1)):
            longer[d:] += math.comb(size, d) * ways[: most_drawn + 1 - d]
        if size >= j and j <= most_drawn:
            longer[j:, 1:] += math.comb(size, j) * ways[: most_drawn + 1 - j, :-1]
        ways = longer
    return ways


def weighted_vote_at_k(
    classes: Sequence[int | None], weights: Sequence[float], correct: int | None, k: int
) -> float:
    """Return how often the class with the largest sum of weights among k samples is the right one.

    There is no closed form: it is the mean over `subsets(n, k)`, the same for everything that has n samples,
    so that strategies are compared on the same draws. Its standard error is at most 0.016.
    """
    names = sorted({name for name in classes if name is not None})
    if correct not in names:
        return 0.0
    states = np.array([[name == stated for name in names] for stated in classes])
    drawn = subsets(len(classes), k)
    is_stated = states[drawn].any(axis=1)
    sums = (states * np.asarray(weights, float)[:, None])[drawn].sum(axis=1)
    sums = np.where(is_stated, sums, -np.inf)
    wins = is_stated & np.isclose(sums, sums.max(axis=1, keepdims=True), rtol=1e-12, atol=0)
    shares = wins[:, names.index(correct)] / np.maximum(wins.sum(axis=1), 1)
    return float(shares.mean())


@lru_cache(maxsize=256)
def subsets(n: int, k: int) -> NDArray[np.intp]:
    """Return `NUM_SUBSETS` fixed random choices of k of n samples, (NUM_SUBSETS, k); all n if k is n."""
    if not 1 <= k <= n:
        raise ValueError(f"k must be a whole number from 1 to {n}, the number of samples; not {k!r}")
    if k == n:
        return np.arange(n)[None, :]
    order = np.random.default_rng([n, k]).random((NUM_SUBSETS, n)).argsort(axis=1)
    return np.asarray(order[:, :k])
