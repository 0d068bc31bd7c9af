"""What the page holds of a group: every aggregate of every cell, a few things in detail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import Axis
from tts_eval.reporting.decisions import Rates, decisions_of
from tts_eval.reporting.details import anytime_curves, gauges_over_time, scaling_curves, single_problems
from tts_eval.reporting.group import Group, plain, plain_rows
from tts_eval.reporting.parts import (
    AxisView,
    CellCost,
    CellView,
    Contents,
    EstimateView,
    Failure,
    FirstAxes,
    RegretView,
)
from tts_eval.reporting.runaways import runaways_of

LABELS = ("model", "strategy", "verifier", "engine", "speculation", "load", "hardware", "provenance")
PATH = ("queue_s", "prefill_s", "decode_s", "engine_other_s", "verifier_s", "strategy_s")


def contents_of(group: Group, *, rates: Rates | None = None) -> Contents:
    """Return all that the page says of `group`; `rates` are those stated first, where any were given."""
    settings = group.settings
    paths = [path for paths in settings.values() for path in paths]
    shared = {
        path: value
        for path in dict.fromkeys(paths)
        if (value := _shared([mine.get(path, "") for mine in settings.values()])) is not None
    }
    return Contents(
        name=group.name,
        num_runs=len(group.frames.runs),
        num_problems=len(group.cells.problems),
        axes=[AxisView(axis.name, axis.label, axis.kind) for axis in group.axes],
        first=FirstAxes(compute=group.names_of("compute"), system=group.names_of("system")),
        shared=shared,
        figures=list(group.figures.columns),
        failed=[Failure(name, reason) for name, reason in group.failed.items()],
        served_otherwise=group.served_otherwise,
        run_noise={axis.name: _noise(group, axis) for axis in group.axes if axis.kind == "system"},
        cells=_cells(group, shared),
        regret=[_regret(group, *pair) for pair in group.regrets],
        anytime=anytime_curves(group),
        scaling=scaling_curves(group),
        levels=plain_rows(group.levels),
        equivalents=plain_rows(group.equivalents),
        gauges=gauges_over_time(group),
        decisions=decisions_of(group, rates),
        runaways=runaways_of(group),
        problems=single_problems(group),
    )


def _cells(group: Group, shared: dict[str, str]) -> list[CellView]:
    labels = group.cells.describe()
    paths = _critical_paths(group.frames.problems)
    number = {name: place for place, name in enumerate(group.cells.names)}
    tables = {axis: table.to_dict("index") for axis, table in group.frontiers.items()}
    cells = []
    for place, name in enumerate(group.cells.names):
        low, high = group.cells.accuracy_interval(place)
        own = {path: str(value) for path, value in group.settings[name].items() if path not in shared}
        costs = {}
        for axis, table in tables.items():
            row = table[name]
            above = row["dominated_by"]
            costs[axis] = CellCost(
                plain(row["cost"]),
                plain(row["cost_low"]),
                plain(row["cost_high"]),
                is_on_frontier=bool(row["on_frontier"]),
                p_on_frontier=plain(row["p_on_frontier"]),
                dominated_by=number.get(str(above)),
            )
        cells.append(
            CellView(
                name=name,
                short=group.short_names[name],
                **{key: _word(labels.loc[name, key]) for key in LABELS},
                parallelism=group.parallelism[name],
                num_repeats=int(group.cells.num_repeats[place]),
                num_runs=int(group.cells.num_runs[place]),
                accuracy=EstimateView.of(group.cells.accuracy[place], low, high),
                costs=costs,
                own=own,
                path_s=None
                if name not in paths.index
                else {part: plain(seconds) for part, seconds in zip(PATH, paths.loc[name], strict=True)},
                figures={str(key): plain(value) for key, value in group.figures.loc[name].items()},
            )
        )
    return cells


def _regret(group: Group, compute: str, system: str) -> RegretView:
    table, agreed = group.regrets[compute, system]
    rows = [] if table.empty else plain_rows(table.reset_index())
    return RegretView(compute, system, EstimateView.of(agreed.tau, *agreed.ci95), rows)


def _noise(group: Group, axis: Axis) -> float | None:
    """Return the deviation of the logarithm from run to run, None where it is unknown."""
    noise = group.cells.run_noise(axis)
    return None if noise is None else plain(noise.deviation)


def _critical_paths(problems: pd.DataFrame) -> pd.DataFrame:
    """Return the mean parts of each cell's time to answer; cells without times are left out."""
    columns = [f"critical_path.{part}" for part in PATH]
    means = problems[columns].astype(float).groupby(problems["cell"], sort=False).mean()
    return means.dropna(how="all")


def _word(value: Any) -> str:
    return "none" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)


def _shared(values: list[Any]) -> str | None:
    words = set(map(str, values))
    return words.pop() if len(words) == 1 else None
