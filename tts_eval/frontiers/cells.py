"""The cells of comparable runs as matrices: what each made of each problem, its repeats and seeds together.

Knows no file and no frontier; every resampled figure comes from the same resamples of problems.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from tts_eval.frames import Frames
from tts_eval.frontiers.axes import Axis
from tts_eval.frontiers.flops import flops_by_problem
from tts_eval.statistics.bootstrap import Floats, resampled_quantiles, resamples
from tts_eval.statistics.intervals import (
    Interval,
    accuracy_ci95,
    means_ci95,
    percentile_ci95,
    ratios_ci95,
)

QUANTILES = {"p50": 0.5, "p99": 0.99}


@dataclass(frozen=True)
class Cells:
    """The cells of `frames`, in the order in which they first come.

    `accuracies` (num_cells, num_problems) holds the share of repeats that were right; `levels` the problems'
    difficulty, NaN where unknown. Costs and their resampled values are NaN where they were not measured.
    """

    frames: Frames = field(repr=False)
    names: tuple[str, ...]
    problems: tuple[str, ...] = field(repr=False)
    levels: Floats = field(repr=False)
    accuracies: Floats = field(repr=False)
    num_repeats: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, frames: Frames) -> Cells:
        """Return the cells of `frames`; raises ValueError where their runs may not be compared."""
        frames = frames.comparable()
        if frames.runs["has_synthetic_acceptance"].any():
            raise ValueError("runs with synthetic acceptance of draft tokens have times, but no accuracy")
        names = tuple(frames.runs["cell"].unique())
        table = frames.problems
        right = table.pivot_table(index="cell", columns="problem", values="is_correct", aggfunc="mean")
        levels = table.groupby("problem")["level"].first().reindex(right.columns)
        return cls(
            frames=frames,
            names=names,
            problems=tuple(right.columns),
            levels=levels.to_numpy(float),
            accuracies=right.loc[list(names)].to_numpy(float),
            num_repeats=tuple(frames.runs["cell"].value_counts()[list(names)]),
        )

    @property
    def accuracy(self) -> Floats:
        """The accuracy of each cell, (num_cells,)."""
        return np.asarray(self.accuracies.mean(axis=1))

    @cached_property
    def resampled_accuracy(self) -> Floats:
        """The accuracy in each resample, (num_resamples, num_cells)."""
        # Rounded, so that cells which are right equally often tie whatever the order of summation.
        return np.round(self.weights @ self.accuracies.T / len(self.problems), 12)

    @cached_property
    def weights(self) -> Floats:
        """How often each problem stands in each resample, (num_resamples, num_problems)."""
        return resamples(len(self.problems))

    def accuracy_interval(self, cell: int) -> Interval:
        """Return the 95% interval of one cell's accuracy."""
        interval = accuracy_ci95(self.accuracies[cell], num_repeats=self.num_repeats[cell])
        assert interval is not None, "a cell has problems"
        return interval

    def cost(self, axis: Axis) -> Floats:
        """Return the cost of each cell, (num_cells,)."""
        if axis.name not in self._costs:
            costs = [self._cost(cell, axis) for cell in range(len(self.names))]
            self._costs[axis.name] = np.array(costs)
        return self._costs[axis.name]

    @cached_property
    def _costs(self) -> dict[str, Floats]:
        return {}

    def cost_intervals(self, axis: Axis) -> list[Interval]:
        """Return the 95% interval of each cell's cost."""
        if axis.statistic in QUANTILES:
            return [percentile_ci95(resampled) for resampled in self.resampled_cost(axis).T]
        means = self._means(axis)
        if axis.statistic == "per_correct":
            intervals = ratios_ci95(means, self.accuracies)
        else:
            intervals = means_ci95(means)
        return [interval or (math.nan, math.nan) for interval in intervals]

    def resampled_cost(self, axis: Axis) -> Floats:
        """Return the cost in each resample, (num_resamples, num_cells)."""
        if axis.name not in self._resampled_costs:
            self._resampled_costs[axis.name] = self._resampled_cost(axis)
        return self._resampled_costs[axis.name]

    @cached_property
    def _resampled_costs(self) -> dict[str, Floats]:
        return {}

    def _cost(self, cell: int, axis: Axis) -> float:
        values = self._values(axis)[cell]
        if axis.statistic in QUANTILES:
            return float(np.quantile(values, QUANTILES[axis.statistic]))
        mean = float(values.mean())
        if axis.statistic == "mean" or math.isnan(mean):
            return mean
        accuracy = float(self.accuracy[cell])
        return mean / accuracy if accuracy else math.inf

    def _resampled_cost(self, axis: Axis) -> Floats:
        if axis.statistic in QUANTILES:
            return self._resampled_quantile(axis)
        means = self.weights @ self._means(axis).T / len(self.problems)
        if axis.statistic == "mean":
            return np.asarray(means)
        accuracy = self.resampled_accuracy
        infinite = np.where(np.isnan(means), np.nan, np.inf)
        return np.asarray(np.divide(means, accuracy, out=infinite, where=accuracy > 0))

    def _resampled_quantile(self, axis: Axis) -> Floats:
        """Return the quantile in each resample; cells of equally many repeats are taken together."""
        values = self._values(axis)
        resampled = np.full((len(self.weights), len(self.names)), np.nan)
        for repeats in set(self.num_repeats):
            weights = np.repeat(self.weights, repeats, axis=1) if repeats > 1 else self.weights
            alike = [
                cell for cell, own in enumerate(values) if own.shape[1] == repeats and not np.isnan(own).any()
            ]
            if alike:
                rows = np.stack([values[cell].ravel() for cell in alike])
                resampled[:, alike] = resampled_quantiles(rows, weights, QUANTILES[axis.statistic]).T
        return resampled

    def _means(self, axis: Axis) -> Floats:
        """Return, for each cell, the mean over repeats of a quantity: (num_cells, num_problems)."""
        return np.stack([values.mean(axis=1) for values in self._values(axis)])

    def _values(self, axis: Axis) -> Sequence[Floats]:
        """Return, for each cell, its values of a quantity: (num_problems, num_repeats)."""
        if axis.column not in self._by_column:
            table = self.frames.problems
            if axis.column == "flops":
                table = table.assign(flops=flops_by_problem(self.frames))
            wide = table.pivot(index=["cell", "run"], columns="problem", values=axis.column)
            wide = wide[list(self.problems)].astype(float)
            self._by_column[axis.column] = [wide.loc[name].to_numpy().T for name in self.names]
        return self._by_column[axis.column]

    @cached_property
    def _by_column(self) -> dict[str, list[Floats]]:
        return {}

    def describe(self) -> pd.DataFrame:
        """Return, by cell, what tables and plots say of it: model, strategy, provenance and repeats."""
        columns = ["model", "strategy", "verifier", "engine", "speculation", "load", "hardware", "provenance"]
        first = self.frames.runs.groupby("cell", sort=False)[columns].first()
        return first.assign(num_repeats=list(self.num_repeats))
