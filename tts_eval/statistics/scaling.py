"""How accuracy grows with what is spent: a line in the logarithm, or a curve that saturates.

Every fit is made for the data and for each resample of it at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import Interval, percentile_ci95

EXPONENTS = np.geomspace(0.02, 4, 120)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float
    ci95: Interval


@dataclass(frozen=True, slots=True)
class LogLinear:
    """accuracy = at_one + gain_per_doubling · log2(x); `rmse` is over the fitted points."""

    at_one: Estimate
    gain_per_doubling: Estimate
    rmse: float


@dataclass(frozen=True, slots=True)
class Saturating:
    """accuracy = ceiling - scale · x^(-exponent), the ceiling 1 at most; `rmse` is over the fitted points.

    `saturates_at` is where the next doubling gains less than was stated: below the first point it means that
    nothing was left to gain, far above the last one that the points do not show where the curve ends.
    """

    ceiling: Estimate
    scale: Estimate
    exponent: Estimate
    saturates_at: Estimate
    rmse: float


def fit_log_linear(x: Floats, accuracy: Floats, resampled: Floats) -> LogLinear:
    """Fit by least squares; `x` and `accuracy` are (num_points,), `resampled` (num_resamples, num_points)."""
    _check(x, least=2)
    design = np.stack([np.ones_like(x), np.log2(x)], axis=1)
    solve = np.linalg.pinv(design)
    at_one, gain = solve @ accuracy
    at_ones, gains = solve @ resampled.T
    rmse = math.sqrt(float(np.mean((design @ np.array([at_one, gain]) - accuracy) ** 2)))
    return LogLinear(
        Estimate(float(at_one), percentile_ci95(at_ones)), Estimate(float(gain), percentile_ci95(gains)), rmse
    )


def fit_saturating(x: Floats, accuracy: Floats, resampled: Floats, *, min_gain: float) -> Saturating:
    """Fit by least squares, the exponent on a grid; shapes as for `fit_log_linear`, at least four points.

    A curve that falls is fitted flat. `min_gain` is the accuracy that the next doubling must gain.
    """
    _check(x, least=4)
    if not 0 < min_gain < 1:
        raise ValueError(f"min_gain must be a number between 0 and 1, not {min_gain!r}")
    ceiling, scale, exponent, rmse = (part[0] for part in _saturating(x, accuracy[None, :]))
    ceilings, scales, exponents, _ = _saturating(x, resampled)
    at = _saturation(np.array([scale]), np.array([exponent]), min_gain)[0]
    return Saturating(
        ceiling=Estimate(float(ceiling), percentile_ci95(ceilings)),
        scale=Estimate(float(scale), percentile_ci95(scales)),
        exponent=Estimate(float(exponent), percentile_ci95(exponents)),
        saturates_at=Estimate(float(at), percentile_ci95(_saturation(scales, exponents, min_gain))),
        rmse=float(rmse),
    )


def _saturating(x: Floats, rows: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return ceiling, scale, exponent and rmse of the best curve for each row of accuracies."""
    best = np.full(len(rows), np.inf)
    found = np.zeros((3, len(rows)))
    means = rows.mean(axis=1)
    for exponent in EXPONENTS:
        power = x**-exponent
        centred = power - power.mean()
        scale = np.maximum(-(rows @ centred) / (centred @ centred), 0)
        ceiling = means + scale * power.mean()
        to_one = (1 - rows) @ power / (power @ power)  # the scale of the best curve that rises to 1
        scale, ceiling = np.where(ceiling > 1, to_one, scale), np.minimum(ceiling, 1)
        error = ((ceiling[:, None] - scale[:, None] * power - rows) ** 2).mean(axis=1)
        better = error < best
        best[better] = error[better]
        found[:, better] = np.stack([ceiling, scale, np.full_like(scale, exponent)])[:, better]
    return found[0], found[1], found[2], np.sqrt(best)


def _saturation(scale: Floats, exponent: Floats, min_gain: float) -> Floats:
    """Return the x at which going to 2x gains `min_gain`: scale · x^(-e) · (1 - 2^(-e))."""
    return np.asarray((scale * (1 - 2**-exponent) / min_gain) ** (1 / exponent))


def _check(x: Floats, *, least: int) -> None:
    if len(set(x.tolist())) < least or (x <= 0).any():
        raise ValueError(f"a fit needs at least {least} different points, all above 0; given: {sorted(x)}")
