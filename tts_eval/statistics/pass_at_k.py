"""Whether k samples of a problem hold a right one, or right ones only: exact, from n of which c are right.

Arrays hold one entry a problem; every k must be at most n.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from tts_eval.statistics.bootstrap import Floats


def pass_at_k(num_samples: ArrayLike, num_correct: ArrayLike, k: int) -> Floats:
    """Return 1 - C(n-c, k) / C(n, k), the chance that one is right (Chen et al., arXiv 2107.03374, 2.1)."""
    n, c = _checked(num_samples, num_correct, k)
    return 1 - _drawn_all_from(n - c, n, k)


def pass_hat_k(num_samples: ArrayLike, num_correct: ArrayLike, k: int) -> Floats:
    """Return C(c, k) / C(n, k), the chance that all k are right (tau-bench, Yao et al., arXiv 2406.12045)."""
    n, c = _checked(num_samples, num_correct, k)
    return _drawn_all_from(c, n, k)


def g_pass_at_k(num_samples: ArrayLike, num_correct: ArrayLike, k: int, *, tau: float) -> Floats:
    """Return the chance that at least a share `tau` is right (Liu et al., arXiv 2412.13147, section 3.2).

    At least one must be, so that tau = 0 is pass@k.
    """
    n, c = _checked(num_samples, num_correct, k)
    if not 0 <= tau <= 1:
        raise ValueError(f"tau must be a number from 0 to 1, not {tau!r}")
    fewest = max(1, math.ceil(round(tau * k, 9)))  # 0.7 * 10 is a little more than 7
    right = np.arange(fewest, k + 1, dtype=float)
    log_ways = _log_choose(c[:, None], right) + _log_choose((n - c)[:, None], k - right)
    return np.asarray(np.exp(log_ways - _log_choose(n, np.array(float(k)))[:, None]).sum(axis=1))


def _checked(num_samples: ArrayLike, num_correct: ArrayLike, k: int) -> tuple[Floats, Floats]:
    n, c = np.atleast_1d(np.asarray(num_samples, float)), np.atleast_1d(np.asarray(num_correct, float))
    if k != int(k) or k < 1 or k > n.min():
        raise ValueError(f"k must be a whole number from 1 to {n.min():.0f}, the fewest samples; not {k!r}")
    if np.any((c < 0) | (c > n)):
        raise ValueError("a problem's number of correct samples must lie from 0 to its number of samples")
    return n, c


def _drawn_all_from(some: Floats, n: Floats, k: int) -> Floats:
    """Return C(some, k) / C(n, k) as a product, which neither overflows nor cancels."""
    drawn = np.arange(k)
    return np.asarray(np.prod(np.clip(some[:, None] - drawn, 0, None) / (n[:, None] - drawn), axis=1))


def _log_choose(n: Floats, k: Floats) -> Floats:
    """Return the logarithm of C(n, k), -inf where there is no way."""
    with np.errstate(invalid="ignore"):
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.where((k >= 0) & (k <= n), ways, -np.inf)
