"""Choices among cells made on a part of the data and priced on the rest, so that no choice judges itself.

The cell that looks cheapest is cheap partly by chance; on data that did not choose it, the luck is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tts_eval.analysis.axes import Axis
from tts_eval.analysis.cells import Cells
from tts_eval.analysis.costs import cost_of, resampled_costs
from tts_eval.statistics.bootstrap import Floats

NUM_PROBLEM_FOLDS = 5

Choice = Callable[[Floats, Floats], int]  # of each cell's accuracy and cost: the place of the chosen one


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the other folds, as if it were one cell: `cells` (num_folds,) are the choices.

    `values` (num_problems, num_runs) and `accuracies` (num_problems,) are those of each fold's choice on that
    fold, `run_effects` (num_resamples,) the mean deviation of the runs behind them, None where it is unknown.
    """

    cells: NDArray[np.intp]
    axis: Axis
    values: Floats = field(repr=False)
    accuracies: Floats = field(repr=False)
    run_effects: Floats | None = field(repr=False)

    @property
    def most_often(self) -> int:
        """The cell that most folds chose; of equals the first that was chosen."""
        cells = self.cells.tolist()
        return int(max(cells, key=cells.count))

    def share_of(self, cell: int) -> float:
        """Return the share of the folds that chose `cell`."""
        return float((self.cells == cell).mean())

    @property
    def cost(self) -> float:
        """The cost on the folds that did not choose."""
        return cost_of(self.values, self.accuracies, self.axis)

    def resampled_cost(self, weights: Floats) -> Floats:
        """Return the cost in each resample of problems and runs, (num_resamples,)."""
        [costs] = resampled_costs([self.values], self.accuracies[None], self.axis, weights).T
        return np.asarray(costs if self.run_effects is None else costs * np.exp(self.run_effects))


class Crossfit:
    """Folds of problems and, where there are repeats, of runs: each is priced by what the others chose.

    A fold is a fifth of the problems as one run solved them; those that choose for it are the other four
    fifths in the other runs. A cell with a single run has nothing but that to be chosen by.
    """

    def __init__(self, cells: Cells, axis: Axis) -> None:
        self._cells, self._axis = cells, axis
        num_problems, self._num_runs = len(cells.problems), max(cells.num_runs)
        num_folds = min(NUM_PROBLEM_FOLDS, num_problems)
        # Dealt out by chance: files often come in the order of difficulty.
        self._fold_of = np.random.default_rng(0).permutation(num_problems) % num_folds
        self._folds = [(part, run) for part in range(num_folds) for run in range(self._num_runs)]
        figures = [self._without(part, run) for part, run in self._folds]
        self._accuracy = np.array([accuracy for accuracy, _ in figures])
        self._cost = np.array([cost for _, cost in figures])

    def chosen(self, choice: Choice) -> Chosen:
        """Return what `choice` gives on each fold's others, put together from the folds."""
        places = [choice(accuracy, cost) for accuracy, cost in zip(self._accuracy, self._cost, strict=True)]
        costs, right = self._cells.values(self._axis), self._cells.right
        effects = self._cells.run_effects(self._axis)
        shape = (len(self._fold_of), self._num_runs)
        values, accuracies = np.empty(shape), np.empty(shape)
        mean_effect = None if effects is None else np.zeros(len(effects))
        for place, (part, run) in zip(places, self._folds, strict=True):
            here, own_run = self._fold_of == part, run % costs[place].shape[1]
            values[here, run] = costs[place][here, own_run]
            accuracies[here, run] = right[place][here, own_run]
            if effects is not None:
                mean_effect += effects[:, place, own_run] * (here.mean() / self._num_runs)
        return Chosen(np.array(places), self._axis, values, accuracies.mean(axis=1), mean_effect)

    def _without(self, part: int, run: int) -> tuple[Floats, Floats]:
        """Return accuracy and cost of each cell on the problems outside of `part`, in its runs but `run`."""
        there = self._fold_of != part if self._fold_of.max() else np.full(len(self._fold_of), True)
        accuracy, cost = [], []
        for right, values in zip(self._cells.right, self._cells.values(self._axis), strict=True):
            others = np.arange(values.shape[1]) != run % values.shape[1]
            if not others.any():
                others[:] = True
            rights = right[there][:, others]
            accuracy.append(round(float(rights.mean()), 12))
            cost.append(cost_of(values[there][:, others], rights.mean(axis=1), self._axis))
        return np.array(accuracy), np.array(cost)
