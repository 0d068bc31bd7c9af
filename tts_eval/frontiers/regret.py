"""What is lost by deploying the compute-optimal cell where the system-optimal one is wanted.

Knows no drawing.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tts_eval.frontiers.axes import axis_of
from tts_eval.frontiers.cells import Cells
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.dominance import Mask, undominated
from tts_eval.statistics.intervals import accuracy_difference_ci95, percentile_ci95


def regret(cells: Cells, *, compute: str, system: str) -> pd.DataFrame:
    """Return a row a cell on the compute frontier: what another cell would have saved, or won.

    Whoever chooses by `compute` deploys the row's cell for its `accuracy`. `system_cell` is the cheapest on
    the `system` axis of those at least as accurate, and `regret` what the row's cell costs more, in that
    axis' unit; `accurate_cell` is the most accurate of those that cost no more, and `accuracy_lost` what it
    is ahead. Both are 0 where the row's cell is itself the choice. The intervals are those of the difference
    between the two cells, paired by problem, once they are chosen; `p_same` is the share of resamples of the
    problems in which the two choices agree. Only cells with both costs known take part.
    """
    compute_axis, system_axis = axis_of(compute), axis_of(system)
    accuracy, compute_cost, system_cost = cells.accuracy, cells.cost(compute_axis), cells.cost(system_axis)
    known = ~np.isnan(compute_cost) & ~np.isnan(system_cost)
    rows = []
    for cell in np.flatnonzero(undominated(accuracy, np.where(known, compute_cost, np.nan))):
        cheapest = _cheapest(accuracy, system_cost, known, cell)
        best = _most_accurate(accuracy, system_cost, known, cell)
        low, high = _cost_difference(cells.resampled_cost(system_axis), cell, cheapest)
        lost_low, lost_high = _accuracy_difference(cells, best, cell)
        rows.append(
            {
                "cell": cells.names[cell],
                "accuracy": accuracy[cell],
                "compute_cost": compute_cost[cell],
                "system_cost": system_cost[cell],
                "system_cell": cells.names[cheapest],
                "regret": _minus(system_cost[cell], system_cost[cheapest]),
                "regret_low": low,
                "regret_high": high,
                "regret_ratio": _ratio(system_cost[cell], system_cost[cheapest]),
                "accurate_cell": cells.names[best],
                "accuracy_lost": accuracy[best] - accuracy[cell],
                "accuracy_lost_low": lost_low,
                "accuracy_lost_high": lost_high,
                "p_same": _share_without_regret(cells, cells.resampled_cost(system_axis), known, cell),
            }
        )
    return pd.DataFrame(rows).set_index("cell").sort_values("compute_cost") if rows else pd.DataFrame()


def _cheapest(accuracy: Floats, cost: Floats, known: Mask, cell: int) -> int:
    """Return the cheapest cell at least as accurate; of equally cheap ones the given cell, then the best."""
    eligible = np.flatnonzero(known & (accuracy >= accuracy[cell]))
    return int(min(eligible, key=lambda other: (cost[other], other != cell, -accuracy[other])))


def _most_accurate(accuracy: Floats, cost: Floats, known: Mask, cell: int) -> int:
    """Return the most accurate cell that costs no more; of equally accurate ones the given cell."""
    eligible = np.flatnonzero(known & (cost <= cost[cell]))
    return int(min(eligible, key=lambda other: (-accuracy[other], other != cell, cost[other])))


def _cost_difference(resampled: Floats, cell: int, other: int) -> tuple[float, float]:
    if cell == other:
        return 0.0, 0.0
    with np.errstate(invalid="ignore"):  # inf - inf: neither has a correct answer in that resample
        return percentile_ci95(resampled[:, cell] - resampled[:, other])


def _accuracy_difference(cells: Cells, one: int, other: int) -> tuple[float, float]:
    if one == other:
        return 0.0, 0.0
    num_repeats = min(cells.num_repeats[one], cells.num_repeats[other])
    interval = accuracy_difference_ci95(
        cells.accuracies[one], cells.accuracies[other], num_repeats=num_repeats
    )
    assert interval is not None, "cells have problems"
    return interval


def _share_without_regret(cells: Cells, resampled_cost: Floats, known: Mask, cell: int) -> float:
    """Return how often no cell that is as accurate in the resample is cheaper there."""
    accuracy = cells.resampled_accuracy
    eligible = known & (accuracy >= accuracy[:, [cell]])
    cheapest = np.where(eligible, resampled_cost, np.inf).min(axis=1)
    return float(np.mean(resampled_cost[:, cell] <= cheapest))


def _minus(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _ratio(one: float, other: float) -> float:
    if one == other:
        return 1.0
    return one / other if other else math.inf
