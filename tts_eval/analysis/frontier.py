"""The frontier of accuracy against one cost, with how sure it is."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.dominance import undominated


def frontier(cells: Cells, axis: str) -> pd.DataFrame:
    """Return a row a cell: accuracy and cost with their intervals, and whether it is on the frontier.

    `p_on_frontier` is the share of resamples of problems and runs in which it is, NaN where the noise of runs
    is unknown; `cost_interval_over` says whether the cost's interval holds for other runs too, or for this
    run of other problems. `dominated_by` is the cheapest of the most accurate cells that dominate it. A cost
    has an infinite upper end where there is none (p99 of few problems). Costs are NaN where they were not
    measured (those of time, in replayed cells): such a cell is on no frontier.
    """
    cost_axis = axis_of(axis)
    accuracy, cost = cells.accuracy, cells.cost(cost_axis)
    on_frontier = undominated(accuracy, cost)
    shares = undominated(cells.resampled_accuracy, cells.resampled_cost(cost_axis)).mean(axis=0)
    intervals = cells.cost_intervals(cost_axis)
    has_noise = cells.run_noise(cost_axis) is not None
    rows = []
    for cell, name in enumerate(cells.names):
        is_known = not math.isnan(cost[cell])
        accuracy_low, accuracy_high = cells.accuracy_interval(cell)
        cost_low, cost_high = intervals[cell] if is_known else (math.nan, math.nan)
        above = None if on_frontier[cell] or not is_known else _dominating(accuracy, cost, cell)
        rows.append(
            {
                "cell": name,
                "accuracy": accuracy[cell],
                "accuracy_low": accuracy_low,
                "accuracy_high": accuracy_high,
                "cost": cost[cell],
                "cost_low": cost_low,
                "cost_high": cost_high,
                "cost_interval_over": "problems and runs" if has_noise else "problems",
                "on_frontier": bool(on_frontier[cell]),
                "p_on_frontier": float(shares[cell]) if is_known and has_noise else math.nan,
                "dominated_by": None if above is None else cells.names[above],
            }
        )
    return pd.DataFrame(rows).set_index("cell").join(cells.describe())


def _dominating(accuracy: Floats, cost: Floats, cell: int) -> int:
    candidates = np.flatnonzero((accuracy >= accuracy[cell]) & (cost <= cost[cell]))
    candidates = candidates[candidates != cell]
    return int(candidates[np.lexsort((cost[candidates], -accuracy[candidates]))[0]])
