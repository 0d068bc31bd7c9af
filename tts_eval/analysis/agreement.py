"""Whether two axes put the cells into the same order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.statistics.intervals import Interval, percentile_ci95

NUM_RESAMPLES = 200  # each one ranks all cells


@dataclass(frozen=True, slots=True)
class Agreement:
    """Kendall's tau-b of two orders of `num_cells` cells: 1 the same, -1 reversed; NaN below two cells."""

    tau: float
    ci95: Interval
    num_cells: int


def agreement(cells: Cells, axis: str, other: str) -> Agreement:
    """Return how far two axes agree on which cell costs more, over the cells whose costs are both known.

    The interval is NaN where the noise of runs is unknown on one of the axes.
    """
    from scipy.stats import kendalltau  # takes seconds to import

    one_axis, other_axis = axis_of(axis), axis_of(other)
    costs = np.stack([cells.cost(one_axis), cells.cost(other_axis)])
    known = np.flatnonzero(~np.isnan(costs).any(axis=0))
    if len(known) < 2:
        return Agreement(math.nan, (math.nan, math.nan), len(known))
    tau = float(kendalltau(*costs[:, known]).statistic)
    if cells.run_noise(one_axis) is None or cells.run_noise(other_axis) is None:
        return Agreement(tau, (math.nan, math.nan), len(known))
    resampled = zip(
        cells.resampled_cost(one_axis)[:NUM_RESAMPLES, known],
        cells.resampled_cost(other_axis)[:NUM_RESAMPLES, known],
        strict=True,
    )
    taus = [float(kendalltau(*pair).statistic) for pair in resampled]
    return Agreement(tau, percentile_ci95(taus), len(known))
