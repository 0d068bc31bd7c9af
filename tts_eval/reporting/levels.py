"""The compute-optimal choice per level of difficulty, at a few budgets.

The levels are the data set's own, an oracle's; difficulty that was predicted is given to `by_difficulty`
directly.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.difficulty import by_difficulty

NUM_BUDGETS = 4


def level_table(cells: Cells, axis: str) -> pd.DataFrame:
    """Return a row a budget and level, what `by_difficulty` says; empty where problems have no levels.

    Budgets are evenly spread over the logarithms of what the cells cost on `axis`, the last one being what
    the dearest costs.
    """
    if np.isnan(cells.levels).any() or len(set(cells.levels.tolist())) < 2:
        return pd.DataFrame()
    cost = cells.cost(axis_of(axis))
    cost = cost[cost > 0]  # a cell of unknown cost is within no budget
    levels = dict(zip(cells.problems, cells.levels.tolist(), strict=True))
    parts = []
    for budget in sorted(set(np.geomspace(cost.min(), cost.max(), NUM_BUDGETS + 1)[1:].tolist())):
        most = budget * (1 + 1e-9)  # the dearest cell is within the last budget
        table = by_difficulty(cells, levels, source="oracle", axis=axis, budget=most).reset_index()
        table.insert(0, "axis", axis)
        table.insert(1, "budget", budget)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
