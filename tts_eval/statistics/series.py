"""95% intervals of times under an open load, where one problem waits for those before it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import Interval
from tts_eval.statistics.quantiles import HalfOpen, quantile_ci95

NUM_BATCHES = 20
FEWEST_TIMES = 2000  # how many correlation times a run must last: a shorter one may have missed every rush
_T = float(stdtrit(NUM_BATCHES - 1, 0.975))
_WINDOW = 5.0  # correlation times after which the correlations are noise


def series_mean_ci95(values: Sequence[float] | Floats) -> Interval | None:
    """Return the interval of the long-run mean of `values`, in the order of arrival.

    Student's over the means of 20 batches (Law and Kelton, Operations Research 32, 1984). None where the run
    is shorter than 2,000 correlation times: it says what happened within it, and nothing of the load, for a
    queue may go without a rush for hundreds of arrivals and look uncorrelated.
    """
    x = np.asarray(values, float)
    if not _is_long_enough(x):
        return None
    half = _T * _batch_error(x)
    return float(x.mean() - half), float(x.mean() + half)


def series_quantile_ci95(values: Sequence[float] | Floats, q: float) -> HalfOpen | None:
    """Return the interval of the long-run `q`-quantile of `values`, in the order of arrival.

    That of order statistics, of as many independent values as know the share below the quantile as well as
    its batch means do. None where `series_mean_ci95` has none.
    """
    x = np.asarray(values, float)
    if not _is_long_enough(x):
        return None
    error = _batch_error((x <= np.quantile(x, q)).astype(float)) * _T / 1.96
    return quantile_ci95(x, q, num_effective=q * (1 - q) / error**2 if error else None)


def correlation_time(values: Sequence[float] | Floats) -> float:
    """Return how many consecutive values say as much of their mean as one independent value would, from 1.

    The sum of the autocorrelations, up to five times itself (Sokal, Monte Carlo Methods in Statistical
    Mechanics, 1989, section 3). Infinite where the values do not last so long.
    """
    x = np.asarray(values, float)
    n = len(x)
    spectrum = np.abs(np.fft.rfft(x - x.mean(), 2 * n)) ** 2
    covariances = np.fft.irfft(spectrum)[:n]
    if covariances[0] <= 0:
        return 1.0  # all equal
    times = 1 + 2 * np.cumsum(covariances[1:] / covariances[0])
    is_summed_up = np.arange(1, n) >= _WINDOW * times
    return max(1.0, float(times[is_summed_up.argmax()])) if is_summed_up.any() else math.inf


def _batch_error(x: Floats) -> float:
    means = np.array([batch.mean() for batch in np.array_split(x, NUM_BATCHES)])
    return float(means.std(ddof=1)) / math.sqrt(NUM_BATCHES)


def _is_long_enough(x: Floats) -> bool:
    """Judge by the values and by their ranks: a few outliers hide how the others hang together."""
    if len(x) < FEWEST_TIMES:
        return False
    ranks = np.argsort(np.argsort(x, kind="stable"), kind="stable").astype(float)
    return len(x) >= FEWEST_TIMES * max(correlation_time(x), correlation_time(ranks))
