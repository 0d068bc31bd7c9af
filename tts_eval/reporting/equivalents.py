"""Much model with little thinking against little model with much, at equal cost.

Knows no rule: which pairs are equal is told by `tts_eval.frontiers.scaling`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tts_eval.frontiers.axes import axis_of
from tts_eval.frontiers.scaling import equivalents
from tts_eval.reporting.group import Group, plain
from tts_eval.statistics.dominance import undominated


def equivalent_table(group: Group) -> pd.DataFrame:
    """Return a row a pair of cells of two models at equal cost on the first compute axis.

    Of each model the cells on its own frontier alone; empty where there is but one model.
    """
    axes = group.names_of("compute")
    models = group.cells.describe().loc[list(group.cells.names), "model"].to_numpy()
    if not axes or len(set(models)) < 2:
        return pd.DataFrame()
    cost, accuracy = group.cells.cost(axis_of(axes[0])), group.cells.accuracy
    best = np.zeros(len(models), bool)
    for model in set(models):
        best[models == model] = undominated(accuracy[models == model], cost[models == model])
    names = [name for name, is_best in zip(group.cells.names, best, strict=True) if is_best]
    table = equivalents(group.restricted(names), axis=axes[0])
    return table if table.empty else table.assign(axis=axes[0])


def equivalents_of(group: Group) -> list[dict[str, Any]]:
    """Return the rows of `equivalent_table` as plain JSON."""
    rows = equivalent_table(group).to_dict("records")
    return [{str(key): plain(value) for key, value in row.items()} for row in rows]
