"""The compute-optimal choice per difficulty, cross-validated (Snell et al., arXiv 2408.03314, section 3.2).

A level taken from gold answers (a data set's own, or the accuracy of a reference run) is an oracle; one
predicted without them is what can be deployed. They are never mixed: a table is made of one of them, and
says of which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import accuracy_ci95, accuracy_difference_ci95

Source = Literal["oracle", "predicted"]
NUM_FOLDS = 5
NUM_BINS = 5


def by_difficulty(
    cells: Cells,
    difficulty: Mapping[str, float],
    *,
    source: Source,
    axis: str,
    budget: float,
    num_folds: int = NUM_FOLDS,
) -> pd.DataFrame:
    """Return a row a bin of difficulty, and a last one for all problems together.

    Of the cells that cost no more than `budget` on `axis`, `cell` is the most accurate on most folds for
    problems of that difficulty. `accuracy` is that of the choice made on the other folds, so that no problem
    chooses for itself; `one_for_all` that of the one cell chosen for every difficulty alike, in the same way.
    `gain` is the difference with its interval, paired by problem. Bins are the distinct difficulties, or
    fifths where there are more than five of them; they reach from `lowest` to `highest`.
    """
    eligible = np.flatnonzero(cells.cost(axis_of(axis)) <= budget)
    if not len(eligible):
        raise ValueError(f"no cell costs at most {budget:g} on {axis}")
    missing = [problem for problem in cells.problems if problem not in difficulty]
    if missing:
        raise ValueError(f"no difficulty is given for {len(missing)} problems, {missing[0]} among them")
    values = np.array([difficulty[problem] for problem in cells.problems], float)
    bins = _bins(values)
    folds = np.random.default_rng(0).permutation(len(bins)) % num_folds
    accuracies = cells.accuracies[eligible]
    adaptive, one_for_all = np.zeros(len(bins)), np.zeros(len(bins))
    chosen: dict[int, list[int]] = {number: [] for number in np.unique(bins).tolist()}
    for fold in range(num_folds):
        here, others = folds == fold, folds != fold
        best = int(accuracies[:, others].mean(axis=1).argmax())
        one_for_all[here] = accuracies[best, here]
        for number, choices in chosen.items():
            learned = others & (bins == number)
            choice = int(accuracies[:, learned].mean(axis=1).argmax()) if learned.any() else best
            choices.append(choice)
            adaptive[here & (bins == number)] = accuracies[choice, here & (bins == number)]
    rows = []
    for number, choices in chosen.items():
        most_often = max(choices, key=choices.count)
        row = _row(adaptive, one_for_all, bins == number, values, num_repeats=min(cells.num_repeats))
        rows.append({"bin": str(number + 1), "cell": cells.names[eligible[most_often]], **row})
    everywhere = np.full(len(bins), True)
    everything = _row(adaptive, one_for_all, everywhere, values, num_repeats=min(cells.num_repeats))
    rows.append({"bin": "all", "cell": None, **everything})
    return pd.DataFrame(rows).assign(difficulty=source).set_index("bin")


def oracle_difficulty(cells: Cells, reference: str) -> dict[str, float]:
    """Return the share of wrong answers of the cell `reference`, by problem: it has seen the gold answers."""
    if reference not in cells.names:
        raise ValueError(f"there is no cell {reference!r}; allowed: {', '.join(cells.names)}")
    accuracies = cells.accuracies[cells.names.index(reference)]
    return {problem: float(1 - a) for problem, a in zip(cells.problems, accuracies, strict=True)}


def _bins(difficulty: Floats) -> npt.NDArray[np.intp]:
    distinct = np.unique(difficulty)
    if len(distinct) <= NUM_BINS:
        return np.searchsorted(distinct, difficulty)
    edges = np.quantile(difficulty, np.linspace(0, 1, NUM_BINS + 1)[1:-1])
    return np.searchsorted(edges, difficulty, side="left")


def _row(
    adaptive: Floats,
    one_for_all: Floats,
    there: npt.NDArray[np.bool_],
    difficulty: Floats,
    *,
    num_repeats: int,
) -> dict[str, float]:
    low, high = accuracy_ci95(adaptive[there], num_repeats=num_repeats) or (np.nan, np.nan)
    gain_low, gain_high = accuracy_difference_ci95(
        adaptive[there], one_for_all[there], num_repeats=num_repeats
    ) or (np.nan, np.nan)
    return {
        "lowest": float(difficulty[there].min()),
        "highest": float(difficulty[there].max()),
        "num_problems": int(there.sum()),
        "accuracy": float(adaptive[there].mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "one_for_all": float(one_for_all[there].mean()),
        "gain": float((adaptive - one_for_all)[there].mean()),
        "gain_low": gain_low,
        "gain_high": gain_high,
    }
