"""95% intervals over problems; the problem is the unit that is resampled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from tts_eval.statistics.bootstrap import Floats, resamples

CI95 = "95% interval"
Interval = Annotated[tuple[float, float], CI95]

_Z = NormalDist().inv_cdf(0.975)
_TAILS = (0.025, 0.975)
_FEWEST_TO_RESAMPLE = 10  # below, a resample of nearly equal problems can have any studentized deviation


def proportion_ci95(num_successes: float, num_trials: float, *, z: float = _Z) -> Interval | None:
    """Return the score interval of a proportion (Wilson, JASA 22, 1927); None without trials.

    Written out, because importing scipy.stats for these four lines takes seconds.
    """
    if num_trials == 0:
        return None
    p = num_successes / num_trials
    centre = p + z**2 / (2 * num_trials)
    half = z * math.sqrt(p * (1 - p) / num_trials + (z / (2 * num_trials)) ** 2)
    width = 1 + z**2 / num_trials
    return max(0.0, (centre - half) / width), min(1.0, (centre + half) / width)


def accuracy_ci95(accuracies: Sequence[float] | Floats, *, num_repeats: int = 1) -> Interval | None:
    """Return the interval of the mean of `accuracies`, one a problem over its `num_repeats` repeats.

    The score interval at the effective number of trials, p(1 - p) over the squared clustered standard error
    (Korn and Graubard, Survey Methodology 24, 1998): repeats of one problem carry less than new problems.
    None without problems.
    """
    values = np.asarray(accuracies, float)
    num_problems = len(values)
    if num_repeats == 1 or num_problems < 2:
        return proportion_ci95(float(values.sum()), num_problems)
    p, variance = float(values.mean()), float(values.var(ddof=1)) / num_problems
    most = float(num_problems * num_repeats)
    num_trials = min(most, max(num_problems, p * (1 - p) / variance)) if variance else float(num_problems)
    return proportion_ci95(p * num_trials, num_trials, z=_t(num_problems))


def accuracy_difference_ci95(
    accuracies: Sequence[float] | Floats, others: Sequence[float] | Floats, *, num_repeats: int = 1
) -> Interval | None:
    """Return the interval of mean(accuracies) - mean(others), paired by problem; None without problems.

    Half an observation is added to each of the four cells of a paired table (Agresti and Min, Statistics in
    Medicine 24, 2005), so that two strategies which never differed are not certain to be equal. With
    `num_repeats` of each problem an observation counts for that share of a problem.
    """
    differences = np.asarray(accuracies, float) - np.asarray(others, float)
    num_problems = len(differences)
    if num_problems == 0:
        return None
    total = num_problems + 2 / num_repeats
    mean = float(differences.sum()) / total
    variance = (float(differences @ differences) + 1 / num_repeats) / total - mean**2
    half = _t(num_problems) * math.sqrt(variance / total)
    return max(-1.0, mean - half), min(1.0, mean + half)


def mean_ci95(values: Sequence[float] | Floats) -> Interval | None:
    """Return the studentized-bootstrap interval of a mean (Efron and Tibshirani 1993, section 12.5).

    Below ten values Student's; None below two: one says nothing about the spread.
    """
    return means_ci95(np.asarray(values, float)[None])[0]


def means_ci95(rows: Floats) -> list[Interval | None]:
    """Return the interval of the mean of each of `rows`, (num_rows, num_values): many cost little more."""
    num_rows, n = rows.shape
    if n < 2:
        return [None] * num_rows
    means, errors = rows.mean(axis=1), rows.std(axis=1, ddof=1) / math.sqrt(n)
    errors[~(errors > 1e-12 * abs(means))] = 0.0
    if n < _FEWEST_TO_RESAMPLE:
        half = _t(n) * errors
        return list(zip((means - half).tolist(), (means + half).tolist(), strict=True))
    weights = resamples(n)
    x = (rows - means[:, None]).T  # or the variance below loses its digits
    deviations = weights @ x / n
    spreads = np.sqrt(np.maximum(weights @ x**2 / n - deviations**2, 0) / (n - 1))
    intervals: list[Interval | None] = []
    for row, (mean, error) in enumerate(zip(means.tolist(), errors.tolist(), strict=True)):
        t_low, t_high = _t_tails(deviations[:, row], spreads[:, row]) if error else (0.0, 0.0)
        intervals.append((mean - t_high * error, mean - t_low * error))
    return intervals


def ratio_ci95(
    numerators: Sequence[float] | Floats, denominators: Sequence[float] | Floats
) -> Interval | None:
    """Return the interval of sum(numerators) / sum(denominators), none below 0, pairs resampled together.

    The studentized bootstrap of the logarithm, whose standard error is the linearized one: a ratio of sums is
    skewed. Its tails are wider by as much as Student's are than the normal's at the degrees of freedom of
    both sums together (Welch and Satterthwaite), where denominators count for their effective number (Kish;
    of right answers how many there are). A resample whose denominators are all 0 counts as infinite: where
    these are more than a fortieth, there is no upper end. Below ten pairs Student's t takes the bootstrap's
    place; None below two.
    """
    return ratios_ci95(np.asarray(numerators, float)[None], np.asarray(denominators, float)[None])[0]


def ratios_ci95(numerators: Floats, denominators: Floats) -> list[Interval | None]:
    """Return the interval of the ratio of each pair of rows, (num_rows, num_pairs): many cost little more."""
    num_rows, n = numerators.shape
    if n < 2:
        return [None] * num_rows
    is_resampled = n >= _FEWEST_TO_RESAMPLE
    sums = _resampled_sums(numerators, denominators) if is_resampled else None
    return [
        _ratio_ci95(tops, bottoms, None if sums is None else sums[:, :, row])
        for row, (tops, bottoms) in enumerate(zip(numerators, denominators, strict=True))
    ]


def _resampled_sums(tops: Floats, bottoms: Floats) -> Floats:
    """Return the sums of tops, bottoms, tops², tops · bottoms and bottoms²: (5, num_resamples, num_rows)."""
    weights = resamples(tops.shape[1])
    return np.stack([weights @ terms.T for terms in (tops, bottoms, tops**2, tops * bottoms, bottoms**2)])


def _ratio_ci95(tops: Floats, bottoms: Floats, resampled_sums: Floats | None) -> Interval:
    n = len(tops)
    if bottoms.sum() == 0:
        return math.inf, math.inf
    ratio = tops.sum() / bottoms.sum()
    residuals = tops - ratio * bottoms
    error = math.sqrt(residuals @ residuals * n / (n - 1)) / tops.sum() if ratio else 0.0
    if error < 1e-12:
        return float(ratio), float(ratio)
    if resampled_sums is None:
        factor = math.exp(_t(n) * error)
        return float(ratio / factor), float(ratio * factor)
    has_no_end = np.mean(resampled_sums[1] == 0) > _TAILS[0]
    known = (resampled_sums[0] > 0) & (resampled_sums[1] > 0)
    top, bottom, top_squares, products, bottom_squares = resampled_sums[:, known]
    ratios = top / bottom
    squares = top_squares - 2 * ratios * products + ratios**2 * bottom_squares
    errors = np.sqrt(np.maximum(squares, 0) * n / (n - 1)) / top
    t_low, t_high = _t_tails(np.log(ratios / ratio), errors)
    wider = float(stdtrit(_degrees_of_freedom(tops, bottoms), _TAILS[1])) / _Z
    low, high = (float(ratio * np.exp(-t * wider * error)) for t in (t_high, t_low))
    return low, math.inf if has_no_end else high


def _degrees_of_freedom(tops: Floats, bottoms: Floats) -> float:
    num_effective = bottoms.sum() ** 2 / (bottoms @ bottoms)
    top, bottom = (float(values.var() / values.mean() ** 2) for values in (tops, bottoms))
    return float((top + bottom) ** 2 / (top**2 / (len(tops) - 1) + bottom**2 / max(num_effective - 1, 1.0)))


def percentile_ci95(estimates: ArrayLike, *, below: float = 0.025) -> Interval:
    """Return the 95% of the estimates in all resamples that leave a share `below` under them.

    By default the middle ones; unknown ones (NaN) are left out.
    """
    known = np.asarray(estimates, float)
    known = known[~np.isnan(known)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, (below, 0.95 + below), method="nearest")
    return float(low), float(high)


def _t(num_problems: int) -> float:
    return float(stdtrit(max(num_problems - 1, 1), _TAILS[1]))


def _t_tails(deviations: Floats, errors: Floats) -> Interval:
    """Return the tails of the studentized deviations; a resample without spread is left out."""
    has_spread = errors > 1e-6 * np.max(errors)  # below is what rounding left of none
    low, high = np.quantile(deviations[has_spread] / errors[has_spread], _TAILS, method="nearest")
    return float(low), float(high)
