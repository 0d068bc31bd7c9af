"""What is lost by deploying the compute-optimal cell where the system-optimal one is wanted."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.crossfit import Chosen, Crossfit
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.dominance import Mask, undominated
from tts_eval.statistics.intervals import Interval, accuracy_difference_ci95, percentile_ci95

NOT_KNOWN = (math.nan, math.nan)
BELOW = 0.04  # the tail that decides whether there is a regret gets most of the 5%


def regret(cells: Cells, *, compute: str, system: str) -> pd.DataFrame:
    """Return a row a cell on the compute frontier: what another cell would have saved, or won.

    A user who chooses by `compute` deploys the row's cell for its `accuracy`. The alternative is the cheapest
    cell on the `system` axis of those at least as accurate, or, for `accuracy_lost`, the most accurate of
    those that cost no more. It is chosen on four fifths of the problems and all runs but one, and priced on
    the rest, each in turn (see `Crossfit`): `regret` is what the row's cell costs more than those choices, in
    that axis' unit, and `accuracy_change` what they are ahead in accuracy. `system_cell` and `accurate_cell`
    name what was chosen most often. Where the row's cell is itself the choice, all of these are 0; a choice
    that was luck has a regret below 0. `share_kept` of the folds of `regret` keep the row's cell and save
    nothing: it is then less than what the best other cell would save, and its lower end holds for both.

    The intervals are those of the differences once the choices are made, paired by problem, over problems and
    runs; that of `regret` leaves 4% below it and 1% above. Without repeats or a stated noise of runs those of
    costs are NaN: one run a cell does not tell a regret from the mood of the machine. `is_proven` says that
    the interval of a regret excludes 0, and that the choices are not proven to be less accurate. `p_same` is
    the share of resamples in which no cell that is as accurate is cheaper. Only cells with both costs known
    take part.
    """
    compute_axis, system_axis = axis_of(compute), axis_of(system)
    accuracy, compute_cost, system_cost = cells.accuracy, cells.cost(compute_axis), cells.cost(system_axis)
    known = ~np.isnan(compute_cost) & ~np.isnan(system_cost)
    on_frontier = np.flatnonzero(undominated(accuracy, np.where(known, compute_cost, np.nan)))
    if not len(on_frontier):
        return pd.DataFrame()
    crossfit = Crossfit(cells, system_axis)
    rows = []
    for cell in on_frontier.tolist():
        cheapest = crossfit.chosen(partial(_cheapest, known=known, cell=cell))
        best = crossfit.chosen(partial(_most_accurate, known=known, cell=cell))
        low, high = _cost_difference(cells, cell, cheapest)
        change_low, change_high = _accuracy_difference(cells, cheapest, cell)
        lost_low, lost_high = _accuracy_difference(cells, best, cell)
        rows.append(
            {
                "cell": cells.names[cell],
                "accuracy": accuracy[cell],
                "compute_cost": compute_cost[cell],
                "system_cost": system_cost[cell],
                "system_cell": cells.names[cheapest.most_often],
                "share_kept": cheapest.share_of(cell),
                "regret": _minus(system_cost[cell], _cost(cells, cheapest, cell)),
                "regret_low": low,
                "regret_high": high,
                "regret_ratio": _ratio(system_cost[cell], _cost(cells, cheapest, cell)),
                "is_proven": bool(low > 0 and not change_high < 0),
                "accuracy_change": _ahead(cells, cheapest, cell),
                "accuracy_change_low": change_low,
                "accuracy_change_high": change_high,
                "accurate_cell": cells.names[best.most_often],
                "accuracy_lost": _ahead(cells, best, cell),
                "accuracy_lost_low": lost_low,
                "accuracy_lost_high": lost_high,
                "p_same": _share_without_regret(cells, system_axis.name, known, cell),
            }
        )
    return pd.DataFrame(rows).set_index("cell").sort_values("compute_cost")


def _cheapest(accuracy: Floats, cost: Floats, *, known: Mask, cell: int) -> int:
    """Return the cheapest cell at least as accurate; of equally cheap ones the given cell, then the best."""
    eligible = np.flatnonzero(known & (accuracy >= accuracy[cell]))
    return int(min(eligible, key=lambda other: (cost[other], other != cell, -accuracy[other])))


def _most_accurate(accuracy: Floats, cost: Floats, *, known: Mask, cell: int) -> int:
    """Return the most accurate cell that costs no more; of equally accurate ones the given cell."""
    eligible = np.flatnonzero(known & (cost <= cost[cell]))
    return int(min(eligible, key=lambda other: (-accuracy[other], other != cell, cost[other])))


def _cost(cells: Cells, chosen: Chosen, cell: int) -> float:
    return float(cells.cost(chosen.axis)[cell]) if (chosen.cells == cell).all() else chosen.cost


def _cost_difference(cells: Cells, cell: int, chosen: Chosen) -> Interval:
    if (chosen.cells == cell).all():
        return 0.0, 0.0
    if chosen.run_effects is None:
        return NOT_KNOWN
    with np.errstate(invalid="ignore"):  # inf - inf: neither has a correct answer in that resample
        own = cells.resampled_cost(chosen.axis)[:, cell]
        return percentile_ci95(own - chosen.resampled_cost(cells.weights), below=BELOW)


def _ahead(cells: Cells, chosen: Chosen, cell: int) -> float:
    own = cells.accuracy[cell]
    return 0.0 if (chosen.cells == cell).all() else float(chosen.accuracies.mean() - own)


def _accuracy_difference(cells: Cells, chosen: Chosen, cell: int) -> Interval:
    if (chosen.cells == cell).all():
        return 0.0, 0.0
    num_repeats = min(cells.num_repeats[place] for place in (cell, *chosen.cells.tolist()))
    interval = accuracy_difference_ci95(chosen.accuracies, cells.accuracies[cell], num_repeats=num_repeats)
    assert interval is not None, "cells have problems"
    return interval


def _share_without_regret(cells: Cells, system: str, known: Mask, cell: int) -> float:
    """Return how often no cell that is as accurate in the resample is cheaper there."""
    axis = axis_of(system)
    if cells.run_noise(axis) is None:
        return math.nan
    accuracy, cost = cells.resampled_accuracy, cells.resampled_cost(axis)
    eligible = known & (accuracy >= accuracy[:, [cell]])
    cheapest = np.where(eligible, cost, np.inf).min(axis=1)
    return float(np.mean(cost[:, cell] <= cheapest))


def _minus(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _ratio(one: float, other: float) -> float:
    if one == other:
        return 1.0
    return one / other if other else math.inf
