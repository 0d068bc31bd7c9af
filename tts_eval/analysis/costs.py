"""The cost of one cell by an axis: the figure itself, and the same in every resample of its problems."""

from __future__ import annotations

import math

import numpy as np

from tts_eval.analysis.axes import Axis
from tts_eval.statistics.bootstrap import Floats, resampled_quantiles

QUANTILES = {"p50": 0.5, "p99": 0.99}


def cost_of(values: Floats, accuracies: Floats, axis: Axis) -> float:
    """Return the cost of `values` (num_problems, num_runs), per right answer where the axis says so.

    `accuracies` (num_problems,) are those of the same problems.
    """
    if axis.statistic in QUANTILES:
        return float(np.quantile(values, QUANTILES[axis.statistic]))
    mean = float(values.mean())
    if axis.statistic == "mean" or math.isnan(mean):
        return mean
    accuracy = float(accuracies.mean())
    return mean / accuracy if accuracy else math.inf


def resampled_costs(values: list[Floats], accuracies: Floats, axis: Axis, weights: Floats) -> Floats:
    """Return the cost of each cell in each of the resamples that `weights` write out.

    `values` holds (num_problems, num_runs) a cell, `accuracies` is (num_cells, num_problems) and `weights`
    (num_resamples, num_problems); the result is (num_resamples, num_cells).
    """
    if axis.statistic in QUANTILES:
        return _resampled_quantiles(values, weights, QUANTILES[axis.statistic])
    num_problems = weights.shape[1]
    means = weights @ np.stack([own.mean(axis=1) for own in values]).T / num_problems
    if axis.statistic == "mean":
        return np.asarray(means)
    accuracy = np.round(weights @ accuracies.T / num_problems, 12)
    infinite = np.where(np.isnan(means), np.nan, np.inf)
    return np.asarray(np.divide(means, accuracy, out=infinite, where=accuracy > 0))


def _resampled_quantiles(values: list[Floats], weights: Floats, q: float) -> Floats:
    """Return the quantiles; cells of equally many runs are taken together."""
    resampled = np.full((len(weights), len(values)), np.nan)
    for num_runs in {own.shape[1] for own in values}:
        own_weights = np.repeat(weights, num_runs, axis=1) if num_runs > 1 else weights
        alike = [
            cell for cell, own in enumerate(values) if own.shape[1] == num_runs and not np.isnan(own).any()
        ]
        if alike:
            rows = np.stack([values[cell].ravel() for cell in alike])
            resampled[:, alike] = resampled_quantiles(rows, own_weights, q).T
    return resampled
