"""How the accuracy of a family of cells grows with what they spend, and what a larger model buys instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.statistics.dominance import undominated
from tts_eval.statistics.intervals import accuracy_difference_ci95
from tts_eval.statistics.scaling import LogLinear, Saturating, fit_log_linear, fit_saturating


@dataclass(frozen=True, slots=True)
class Scaling:
    """Both fits over the same cells; `saturating` is None below four points."""

    log_linear: LogLinear
    saturating: Saturating | None


def scaling(cells: Cells, names: Sequence[str], *, axis: str, min_gain: float = 0.01) -> Scaling:
    """Fit the accuracy of the cells called `names` against `axis`; the intervals resample problems.

    Raises ValueError on an unknown cell, and where fewer than two have different known costs.
    """
    unknown = [name for name in names if name not in cells.names]
    if unknown:
        raise ValueError(f"there is no cell {unknown[0]!r}; allowed: {', '.join(cells.names)}")
    chosen = [cells.names.index(name) for name in names]
    x, accuracy = cells.cost(axis_of(axis))[chosen], cells.accuracy[chosen]
    resampled = cells.resampled_accuracy[:, chosen]
    known = ~np.isnan(x)
    x, accuracy, resampled = x[known], accuracy[known], resampled[:, known]
    has_four = len(set(x.tolist())) >= 4
    return Scaling(
        fit_log_linear(x, accuracy, resampled),
        fit_saturating(x, accuracy, resampled, min_gain=min_gain) if has_four else None,
    )


def equivalents(cells: Cells, *, axis: str = "flops_per_problem", within: float = 1.25) -> pd.DataFrame:
    """Return pairs of cells of different models whose costs are within a factor of each other.

    A row says what the cell of the dearer model has ahead in accuracy, paired by problem, with its interval:
    little thinking with much model against much thinking with little model. The dearer model is the one that
    takes more FLOPs a generated token. Each model stands there with the cells on its own frontier.
    """
    if within < 1:
        raise ValueError(f"within must be a factor from 1, not {within!r}")
    cost, tokens = cells.cost(axis_of(axis)), cells.cost(axis_of("tokens_per_problem"))
    flops = cells.cost(axis_of("flops_per_problem"))
    models = cells.describe().loc[list(cells.names), "model"].to_numpy()
    best = {
        model: np.flatnonzero(models == model)[
            undominated(cells.accuracy[models == model], cost[models == model])
        ].tolist()
        for model in dict.fromkeys(models)
    }
    rows = []
    for one, other in permutations(best, 2):
        for big, small in product(best[one], best[other]):
            is_dearer = flops[big] / tokens[big] > flops[small] / tokens[small]
            ratio = cost[big] / cost[small]
            if not is_dearer or not 1 / within <= ratio <= within:
                continue
            num_repeats = min(cells.num_repeats[big], cells.num_repeats[small])
            interval = accuracy_difference_ci95(
                cells.accuracies[big], cells.accuracies[small], num_repeats=num_repeats
            )
            assert interval is not None, "cells have problems"
            rows.append(
                {
                    "big": cells.names[big],
                    "small": cells.names[small],
                    "cost_ratio": ratio,
                    "big_tokens": tokens[big],
                    "small_tokens": tokens[small],
                    "big_accuracy": cells.accuracy[big],
                    "small_accuracy": cells.accuracy[small],
                    "difference": cells.accuracy[big] - cells.accuracy[small],
                    "difference_low": interval[0],
                    "difference_high": interval[1],
                }
            )
    return pd.DataFrame(rows)
