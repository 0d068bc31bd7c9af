"""The cells of comparable runs as matrices: what each made of each problem, its repeats and seeds together.

Every resampled figure comes from the same resamples of problems, and of runs where there are repeats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import Axis
from tts_eval.analysis.costs import QUANTILES, cost_of, resampled_costs
from tts_eval.analysis.flops import flops_by_problem
from tts_eval.analysis.frames import Frames
from tts_eval.statistics.bootstrap import Floats, resamples
from tts_eval.statistics.intervals import Interval, accuracy_ci95, means_ci95, ratios_ci95
from tts_eval.statistics.quantiles import quantile_ci95
from tts_eval.statistics.run_noise import RunNoise

NUM_RESAMPLES_OF_RUNS = 200  # a variance needs fewer than a percentile
MAX_FAILED_SHARE = 0.5  # a cell of which more problems failed says nothing of what it costs


@dataclass(frozen=True)
class Cells:
    """The cells of `frames`, in the order in which they first come.

    `accuracies` (num_cells, num_problems) holds the share of repeats that were right; `levels` the problems'
    difficulty, NaN where unknown. `num_runs` counts the runs of a cell, `num_repeats` their different seeds:
    running a seed again tells how the times vary, and nothing of the answers. Costs and their resampled
    values are NaN where they were not measured, and where more than half of a cell's problems failed.

    `stated_run_noise` is the standard deviation of the logarithm of times and dollars from run to run. It
    counts where no cell has repeats; without either it is unknown how far another run would be from these.
    """

    frames: Frames = field(repr=False)
    names: tuple[str, ...]
    problems: tuple[str, ...] = field(repr=False)
    levels: Floats = field(repr=False)
    accuracies: Floats = field(repr=False)
    num_repeats: tuple[int, ...] = field(repr=False)
    num_runs: tuple[int, ...] = field(repr=False)
    stated_run_noise: float | None = None

    @classmethod
    def of(cls, frames: Frames, *, run_noise: float | None = None) -> Cells:
        """Return the cells of `frames`; raises ValueError where their runs may not be compared."""
        if run_noise is not None and not (math.isfinite(run_noise) and run_noise >= 0):
            raise ValueError(f"run_noise must be a number from 0, not {run_noise!r}")
        frames = frames.comparable()
        for why in filter(None, frames.runs["without_accuracy"]):
            raise ValueError(f"runs with {why} have times, but no accuracy")
        names = list(frames.runs["cell"].unique())
        table = frames.problems.assign(seed=frames.problems["run"].map(frames.runs["seed"]))
        of_seeds = table.pivot_table(
            index=["cell", "seed"], columns="problem", values="is_correct", aggfunc="mean"
        )
        right = of_seeds.groupby(level="cell").mean()
        levels = table.groupby("problem")["level"].first().reindex(right.columns)
        by_cell = frames.runs.groupby("cell")
        return cls(
            frames=frames,
            names=tuple(names),
            problems=tuple(right.columns),
            levels=levels.to_numpy(float),
            accuracies=right.loc[names].to_numpy(float),
            num_repeats=tuple(by_cell["seed"].nunique()[names]),
            num_runs=tuple(by_cell.size()[names]),
            stated_run_noise=run_noise,
        )

    @property
    def accuracy(self) -> Floats:
        """The accuracy of each cell, (num_cells,)."""
        return np.asarray(self.accuracies.mean(axis=1))

    @cached_property
    def resampled_accuracy(self) -> Floats:
        """The accuracy in each resample, (num_resamples, num_cells)."""
        # Rounded, so that cells which are right equally often tie whatever the order of summation.
        return np.asarray(np.round(self.weights @ self.accuracies.T / len(self.problems), 12))

    @cached_property
    def weights(self) -> Floats:
        """How often each problem stands in each resample, (num_resamples, num_problems)."""
        return resamples(len(self.problems))

    @cached_property
    def failed_shares(self) -> Floats:
        """The share of the problems of each cell that its strategy failed on, (num_cells,)."""
        table = self.frames.problems
        shares = table["error"].notna().groupby(table["cell"]).mean()
        return np.asarray(shares[list(self.names)], float)

    def accuracy_interval(self, cell: int) -> Interval:
        """Return the 95% interval of one cell's accuracy."""
        interval = accuracy_ci95(self.accuracies[cell], num_repeats=self.num_repeats[cell])
        assert interval is not None, "a cell has problems"
        return interval

    def cost(self, axis: Axis) -> Floats:
        """Return the cost of each cell, (num_cells,)."""
        if axis.name not in self._costs:
            values = zip(self.values(axis), self.accuracies, strict=True)
            self._costs[axis.name] = np.array([cost_of(own, right, axis) for own, right in values])
        return self._costs[axis.name]

    @cached_property
    def _costs(self) -> dict[str, Floats]:
        return {}

    def run_noise(self, axis: Axis) -> RunNoise | None:
        """Return how far costs on `axis` vary from run to run; None where nobody knows.

        That of the logarithm of the cost of single runs, pooled over the cells with repeats, else as stated.
        FLOPs and tokens hang on the samples alone.
        """
        if axis.kind == "compute":
            return RunNoise(0.0)
        if axis.name not in self._run_noises:
            repeated = [
                (values, right)
                for values, right in zip(self.values(axis), self.accuracies, strict=True)
                if values.shape[1] > 1 and not np.isnan(values).any() and right.any()
            ]
            stated = None if self.stated_run_noise is None else RunNoise(self.stated_run_noise)
            self._run_noises[axis.name] = (
                RunNoise.of([self._by_run(axis, *one) for one in repeated]) or stated
            )
        return self._run_noises[axis.name]

    def _by_run(self, axis: Axis, values: Floats, accuracies: Floats) -> tuple[Floats, Floats]:
        """Return the cost of each run, (num_runs,), and in resamples of problems, (num_resamples, num_runs).

        All runs have the cell's accuracies: what these do to dollars per right answer is no noise of runs.
        """
        runs = [run[:, None] for run in values.T]
        alike = np.tile(accuracies, (len(runs), 1))
        costs = np.array([cost_of(run, accuracies, axis) for run in runs])
        return costs, resampled_costs(runs, alike, axis, self.weights[:NUM_RESAMPLES_OF_RUNS])

    @cached_property
    def _run_noises(self) -> dict[str, RunNoise | None]:
        return {}

    def run_effects(self, axis: Axis) -> Floats | None:
        """Return the deviation of each run's logarithmic cost in each resample, None where it is unknown.

        The shape is (num_resamples, num_cells, the most runs of a cell).
        """
        noise = self.run_noise(axis)
        return None if noise is None else noise.draw(len(self.names), max(self.num_runs))

    def cost_intervals(self, axis: Axis) -> list[Interval]:
        """Return the 95% interval of each cell's cost, over problems and, where their noise is known, runs.

        Where it is not, the interval is for this run of other problems. Times under an open load have none
        then: queues make the problems of one run depend on each other.
        """
        noise = self.run_noise(axis)
        if noise is None and axis.column == "tta_s" and self._is_open_load:
            return [(math.nan, math.nan)] * len(self.names)
        return [
            _widened(interval, cost, 0.0 if noise is None else noise.half_width(num_runs))
            for interval, cost, num_runs in zip(
                self._intervals_over_problems(axis), self.cost(axis), self.num_runs, strict=True
            )
        ]

    @property
    def _is_open_load(self) -> bool:
        return bool(self.frames.runs["is_open_load"].any())

    def _intervals_over_problems(self, axis: Axis) -> list[Interval]:
        if axis.statistic in QUANTILES:
            return [_quantile_interval(values, QUANTILES[axis.statistic]) for values in self.values(axis)]
        means = np.stack([values.mean(axis=1) for values in self.values(axis)])
        if axis.statistic == "per_correct":
            intervals = ratios_ci95(means, self.accuracies)
        else:
            intervals = means_ci95(means)
        return [interval or (math.nan, math.nan) for interval in intervals]

    def resampled_cost(self, axis: Axis) -> Floats:
        """Return the cost in each resample, (num_resamples, num_cells).

        Of problems and, where the noise of runs is known, of runs.
        """
        if axis.name not in self._resampled_costs:
            costs = resampled_costs(self.values(axis), self.accuracies, axis, self.weights)
            effects = self.run_effects(axis)
            if effects is not None:
                costs = costs * np.exp(
                    np.stack(
                        [effects[:, cell, :num].mean(axis=1) for cell, num in enumerate(self.num_runs)], 1
                    )
                )
            self._resampled_costs[axis.name] = costs
        return self._resampled_costs[axis.name]

    @cached_property
    def _resampled_costs(self) -> dict[str, Floats]:
        return {}

    def values(self, axis: Axis) -> list[Floats]:
        """Return, for each cell, its values of the axis' quantity: (num_problems, num_runs)."""
        if axis.column not in self._by_column:
            table = self.frames.problems
            if axis.column == "flops":
                table = table.assign(flops=flops_by_problem(self.frames))
            self._by_column[axis.column] = self._wide(table, axis.column)
        return self._by_column[axis.column]

    @cached_property
    def right(self) -> list[Floats]:
        """Whether each run of each cell was right, (num_problems, num_runs) a cell."""
        return self._wide(self.frames.problems, "is_correct", is_cost=False)

    def _wide(self, table: pd.DataFrame, column: str, *, is_cost: bool = True) -> list[Floats]:
        wide = table.pivot(index=["cell", "run"], columns="problem", values=column)
        wide = wide[list(self.problems)].astype(float)
        found = [wide.loc[name].to_numpy().T for name in self.names]
        if not is_cost:
            return found
        is_known = self.failed_shares <= MAX_FAILED_SHARE
        return [
            own if known else np.full_like(own, np.nan) for own, known in zip(found, is_known, strict=True)
        ]

    @cached_property
    def _by_column(self) -> dict[str, list[Floats]]:
        return {}

    def describe(self) -> pd.DataFrame:
        """Return, by cell, what tables and plots say of it: model, strategy, provenance and repeats."""
        columns = ["model", "strategy", "verifier", "engine", "speculation", "load", "hardware", "provenance"]
        first = self.frames.runs.groupby("cell", sort=False)[columns].first()
        return first.assign(num_repeats=list(self.num_repeats), num_runs=list(self.num_runs))


def _widened(interval: Interval, cost: float, half: float) -> Interval:
    """Return `interval` widened on both sides by `half` of the logarithm, which is independent of it."""
    if not half or not cost > 0 or math.isinf(cost):
        return interval
    low, high = interval
    with np.errstate(divide="ignore"):
        down, up = np.log(cost / max(low, 0.0)) if low > 0 else math.inf, math.log(high / cost)
    return cost * math.exp(-math.hypot(down, half)), cost * math.exp(math.hypot(up, half))


def _quantile_interval(values: Floats, q: float) -> Interval:
    """Return the interval of a quantile over all runs; repeats of a problem tell less than new problems."""
    if np.isnan(values).any():
        return math.nan, math.nan
    num_problems, num_runs = values.shape
    num_effective = float(values.size)
    if num_runs > 1:
        shares = (values <= np.quantile(values, q)).mean(axis=1)
        error = float(shares.var(ddof=1)) / num_problems if num_problems > 1 else 0.0
        independent = q * (1 - q) / error if error else float(num_problems)
        num_effective = min(max(independent, num_problems), num_effective)
    interval = quantile_ci95(values.ravel(), q, num_effective=num_effective)
    if interval is None:
        return math.nan, math.nan
    low, high = interval
    return -math.inf if low is None else low, math.inf if high is None else high
