"""One group of comparable cells with everything that the report says of them.

The console, the figures, the files and the page all read it from here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tts_eval.analysis.agreement import Agreement, agreement
from tts_eval.analysis.axes import AXES, Axis, Kind
from tts_eval.analysis.cells import MAX_FAILED_SHARE, Cells
from tts_eval.analysis.frames import Frames
from tts_eval.analysis.frontier import frontier
from tts_eval.analysis.regret import regret
from tts_eval.analysis.scaling import equivalents
from tts_eval.reporting.cell_figures import cell_figures
from tts_eval.reporting.levels import level_table

DEGREES = {"tensor_parallel_size": "TP", "pipeline_parallel_size": "PP", "data_parallel_size": "DP"}
Scalar = float | str | bool | None  # a value on the page: None is unknown, "inf" infinite
ONE_WORKER = "one worker"  # an engine that was not spread
SHOWN_FIRST = ("tta_s_p50", "usd_per_correct", "usd_per_problem")


@dataclass(frozen=True)
class Group:
    """The cells of one group of `Frames.groups()`; `name` says what they have in common."""

    name: str
    cells: Cells = field(repr=False)

    @property
    def frames(self) -> Frames:
        """The runs behind the cells."""
        return self.cells.frames

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes on which the cost of a cell is known."""
        return tuple(axis for axis in AXES if not np.isnan(self.cells.cost(axis)).all())

    @cached_property
    def figures(self) -> pd.DataFrame:
        """What the summaries say of each cell, pooled over its runs: a row a cell."""
        return cell_figures(self.frames.runs, self.frames.problems)

    @cached_property
    def failed(self) -> dict[str, str]:
        """The cells on no frontier because too many problems failed, and the most frequent error of each."""
        found = {}
        for name, share in zip(self.cells.names, self.cells.failed_shares, strict=True):
            if share > MAX_FAILED_SHARE:
                errors = self.frames.problems.loc[self.frames.problems["cell"] == name, "error"]
                most = str(errors.value_counts().index[0]).splitlines()[0]
                found[name] = f"{errors.notna().sum()} of {len(errors)} problems failed, mostly with {most}"
        return found

    @cached_property
    def served_otherwise(self) -> list[str]:
        """What the engines chose by themselves and not alike: cells differ in more than their settings."""
        lines = []
        served = self.frames.runs.set_index("cell")["served_by"]
        for setting in dict.fromkeys(name for of_cell in served for name in of_cell):
            counts = Counter(of_cell[setting] for of_cell in served if setting in of_cell)
            if len(counts) > 1:
                told = ", ".join(f"{value} in {number} runs" for value, number in counts.items())
                lines.append(f"the engines chose {setting} by themselves, and not alike: {told}")
        return lines

    @cached_property
    def frontiers(self) -> dict[str, pd.DataFrame]:
        """The frontier on each of the axes, by its name."""
        return {axis.name: frontier(self.cells, axis.name) for axis in self.axes}

    @cached_property
    def regrets(self) -> dict[tuple[str, str], tuple[pd.DataFrame, Agreement]]:
        """The regret, and how far the orders agree, for each pair of a compute and a system axis."""
        pairs = [(one, other) for one in self.names_of("compute") for other in self.names_of("system")]
        return {
            (one, other): (
                regret(self.cells, compute=one, system=other),
                agreement(self.cells, one, other),
            )
            for one, other in pairs
        }

    @cached_property
    def levels(self) -> pd.DataFrame:
        """The best cell per level of difficulty at a few budgets of compute; empty without levels."""
        axes = self.names_of("compute")
        return level_table(self.cells, axes[0]) if axes else pd.DataFrame()

    @cached_property
    def equivalents(self) -> pd.DataFrame:
        """Cells of two models at equal compute; empty where there are none."""
        axes = self.names_of("compute")
        return equivalents(self.cells, axis=axes[0]).assign(axis=axes[0]) if axes else pd.DataFrame()

    def names_of(self, kind: Kind) -> list[str]:
        """Return the known axes of one kind, those that are shown first in front."""
        names = [axis.name for axis in self.axes if axis.kind == kind]
        first = [name for name in SHOWN_FIRST if name in names]
        return first + [name for name in names if name not in first]

    @cached_property
    def short_names(self) -> dict[str, str]:
        """What tells each cell from the others: its overrides without those that all cells share."""
        parts = {name: name.split(",") for name in self.cells.names}
        shared = set.intersection(*map(set, parts.values())) if len(parts) > 1 else set()
        return {
            name: ",".join(part for part in mine if part not in shared) or name
            for name, mine in parts.items()
        }

    @cached_property
    def settings(self) -> dict[str, dict[str, object]]:
        """The full configuration of each cell, flat: path -> value."""
        first = self.frames.runs.groupby("cell", sort=False)["settings"].first()
        return {str(name): dict(_flat(value)) for name, value in first.items()}

    @cached_property
    def parallelism(self) -> dict[str, str]:
        """How each cell's engine was spread over GPUs, as in TP2 DP2."""
        return {name: _parallelism(settings) for name, settings in self.settings.items()}

    @cached_property
    def on_a_frontier(self) -> list[str]:
        """The cells on any frontier, those on the most of them first; at equal numbers the more accurate."""
        counts = sum(table["on_frontier"].astype(int) for table in self.frontiers.values())
        accuracy = dict(zip(self.cells.names, self.cells.accuracy, strict=True))
        on = [(str(name), int(num)) for name, num in pd.Series(counts).items() if num]
        return [name for name, _ in sorted(on, key=lambda pair: (-pair[1], -accuracy[pair[0]], pair[0]))]

    def restricted(self, names: Sequence[str]) -> Cells:
        """Return the cells called `names` alone."""
        runs = self.frames.runs.index[self.frames.runs["cell"].isin(list(names))]
        return Cells.of(self.frames.of_runs(runs), run_noise=self.cells.stated_run_noise)


def groups_of(frames: Frames, *, run_noise: float | None = None) -> tuple[list[Group], list[str]]:
    """Return the groups that have accuracies, and the names of those that have none.

    `run_noise` is what is stated of runs where none are repeats (see `Cells`).
    """
    found, without = [], []
    for name, part in frames.groups().items():
        if any(part.runs["without_accuracy"]):
            without.append(name)
        else:
            found.append(Group(name, Cells.of(part, run_noise=run_noise)))
    return found, without


def plain(value: Any) -> Any:
    """Return `value` for JSON: what is not known is None, infinity the word "inf"."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return "inf" if math.isinf(value) else float(f"{value:.6g}")
    return value


def plain_rows(table: pd.DataFrame) -> list[dict[str, Scalar]]:
    """Return the rows of `table` for JSON, its index left out."""
    return [{str(key): plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _parallelism(settings: Mapping[str, object]) -> str:
    degrees = {short: settings.get(f"engine.{name}") for name, short in DEGREES.items()}
    spread = [f"{short}{degree}" for short, degree in degrees.items() if degree not in (None, 1)]
    return " ".join(spread) or ONE_WORKER


def _flat(value: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        return [pair for key, part in value.items() for pair in _flat(part, f"{path}.{key}" if path else key)]
    return [(path, value)]
