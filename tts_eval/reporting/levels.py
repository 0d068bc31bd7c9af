"""The compute-optimal choice per level of difficulty, at a few budgets.

Knows no rule: who chooses, and on which problems, is told by `tts_eval.frontiers.difficulty`. The levels are
the data set's own, an oracle's; difficulty that was predicted is given to `by_difficulty` directly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tts_eval.frontiers.axes import axis_of
from tts_eval.frontiers.difficulty import by_difficulty
from tts_eval.reporting.group import Group, plain

NUM_BUDGETS = 4


def level_table(group: Group) -> pd.DataFrame:
    """Return a row a budget and level, what `by_difficulty` says; empty where problems have no levels.

    Budgets are evenly spread over the logarithms of what the cells cost on the first compute axis, the last
    one being what the dearest costs.
    """
    cells = group.cells
    axes = group.names_of("compute")
    if not axes or np.isnan(cells.levels).any() or len(set(cells.levels.tolist())) < 2:
        return pd.DataFrame()
    cost = cells.cost(axis_of(axes[0]))
    cost = cost[cost > 0]  # a cell of unknown cost is within no budget
    levels = dict(zip(cells.problems, cells.levels.tolist(), strict=True))
    parts = []
    for budget in sorted(set(np.geomspace(cost.min(), cost.max(), NUM_BUDGETS + 1)[1:].tolist())):
        most = budget * (1 + 1e-9)  # the dearest cell is within the last budget
        table = by_difficulty(cells, levels, source="oracle", axis=axes[0], budget=most).reset_index()
        table.insert(0, "axis", axes[0])
        table.insert(1, "budget", budget)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def levels_of(group: Group) -> list[dict[str, Any]]:
    """Return the rows of `level_table` as plain JSON."""
    rows = level_table(group).to_dict("records")
    return [{str(key): plain(value) for key, value in row.items()} for row in rows]
