"""What the page holds of a group, as plain JSON: every aggregate of every cell, and a few things in detail.

Knows no HTML; what is shown of a few cells alone is in `details`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tts_eval.reporting.decisions import Rates, decisions_of
from tts_eval.reporting.details import anytime_curves, gauges_over_time, scaling_curves, single_problems
from tts_eval.reporting.group import Group, plain, plain_rows
from tts_eval.reporting.runaways import runaways_of

PATH = ("queue_s", "prefill_s", "decode_s", "engine_other_s", "verifier_s", "strategy_s")
FIGURES = (
    "num_problems",
    "num_correct",
    "num_undecided",
    "num_failed",
    "usd_per_problem",
    "usd_per_correct",
    "usd_per_generated_token",
    "cost_busy.usd_per_correct",
    "cost_api.usd_per_correct",
    "joules_per_problem",
    "joules_per_correct",
    "usd_per_gpu_hour",
    "num_gpus",
    "generated_tokens_per_s",
    "problems_per_s",
    "goodput_per_s",
    "ttft_s.p50",
    "ttfat_s.p50",
    "tta_s.p50",
    "tta_s.p99",
    "queue_s.p50",
    "tpot_excl_first_s.p50",
    "kv_cache_usage_peak",
    "num_preemptions",
    "prefix_cache_hit_rate",
    "mean_acceptance_length",
    "startup_s",
    "wall_s",
)  # of the summary; the mean over a cell's repeats


def contents_of(group: Group, *, rates: Rates | None = None) -> dict[str, Any]:
    """Return all that the page says of `group`; `rates` are those stated first, where any were given."""
    settings = group.settings
    paths = [path for paths in settings.values() for path in paths]
    shared = {
        path: value
        for path in dict.fromkeys(paths)
        if (value := _shared([mine.get(path, "") for mine in settings.values()])) is not None
    }
    return {
        "name": group.name,
        "num_runs": len(group.frames.runs),
        "num_problems": len(group.cells.problems),
        "axes": [{"name": axis.name, "label": axis.label, "kind": axis.kind} for axis in group.axes],
        "first": {"compute": group.names_of("compute"), "system": group.names_of("system")},
        "shared": shared,
        "figures": [name for name in FIGURES if _is_known(group.frames.runs, name)],
        "cells": _cells(group, shared),
        "regret": [_regret(group, *pair) for pair in group.regrets],
        "anytime": anytime_curves(group),
        "scaling": scaling_curves(group),
        "levels": plain_rows(group.levels),
        "equivalents": plain_rows(group.equivalents),
        "gauges": gauges_over_time(group),
        "decisions": decisions_of(group, rates),
        "runaways": runaways_of(group),
        "problems": single_problems(group),
    }


def _cells(group: Group, shared: dict[str, str]) -> list[dict[str, Any]]:
    labels = group.cells.describe()
    figures = _figures(group.frames.runs)
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
            costs[axis] = [
                *(plain(row[key]) for key in ("cost", "cost_low", "cost_high")),
                bool(row["on_frontier"]),
                plain(row["p_on_frontier"]),
                number.get(str(above)),
            ]
        cells.append(
            {
                "name": name,
                "short": group.short_names[name],
                **{key: _word(labels.loc[name, key]) for key in labels.columns if key != "num_repeats"},
                "parallelism": group.parallelism[name],
                "num_repeats": group.cells.num_repeats[place],
                "accuracy": [plain(value) for value in (group.cells.accuracy[place], low, high)],
                "costs": costs,
                "own": own,
                "path": None if name not in paths.index else [plain(s) for s in paths.loc[name]],
                "figures": {key: plain(value) for key, value in figures.loc[name].items()},
            }
        )
    return cells


def _regret(group: Group, compute: str, system: str) -> dict[str, Any]:
    table, agreed = group.regrets[compute, system]
    return {
        "compute": compute,
        "system": system,
        "tau": [plain(agreed.tau), *map(plain, agreed.ci95)],
        "rows": [] if table.empty else plain_rows(table.reset_index()),
    }


def _figures(runs: pd.DataFrame) -> pd.DataFrame:
    known = [name for name in FIGURES if _is_known(runs, name)]
    return runs[known].astype(float).groupby(runs["cell"], sort=False).mean()


def _is_known(runs: pd.DataFrame, name: str) -> bool:
    return name in runs and bool(runs[name].notna().any())


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
