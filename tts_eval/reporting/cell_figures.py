"""The figures of the summaries that the report shows of a cell, pooled over its runs as its axes are.

Counts add up, ratios are ratios of sums, percentiles are those of all problems together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Pooling = Callable[[pd.DataFrame, str], Any]  # of a cell's rows of `Frames.runs` and a key, which it has


def _total(runs: pd.DataFrame, key: str) -> Any:
    return runs[key].sum(min_count=len(runs))


def _largest(runs: pd.DataFrame, key: str) -> Any:
    return runs[key].max()


def _everywhere(runs: pd.DataFrame, key: str) -> Any:
    return bool(runs[key].all())


def _anywhere(runs: pd.DataFrame, key: str) -> Any:
    """Say yes where any run does, and no only where all of them do."""
    return True if (runs[key] == True).any() else None if runs[key].isna().any() else False  # noqa: E712


def _common(runs: pd.DataFrame, key: str) -> Any:
    return runs[key].iloc[0] if runs[key].nunique(dropna=False) == 1 else None


def _mean_by(weight: str) -> Pooling:
    """Return the mean weighted by what the ratio was divided by: the ratio of the sums."""

    def pooled(runs: pd.DataFrame, key: str) -> Any:
        values, weights = runs[key].astype(float), runs[weight].astype(float)
        return np.average(values, weights=weights) if weights.sum() else values.iloc[0]

    return pooled


def _ratio(total: str, per: str) -> Pooling:
    def pooled(runs: pd.DataFrame, key: str) -> Any:
        number = runs[per].astype(float).sum()
        return runs[total].astype(float).sum() / number if number else float("inf")

    return pooled


def _band(per: str) -> Pooling:
    """Return the lowest and the highest price's figure, in words."""

    def pooled(runs: pd.DataFrame, key: str) -> Any:
        weights = runs[per].to_numpy(float)
        if not weights.sum():
            return None
        low, high = (np.average([float(band[end]) for band in runs[key]], weights=weights) for end in (0, 1))
        return f"{low:.3g} to {high:.3g}"

    return pooled


_PER_SECOND = _mean_by("held_s")
POOLED: dict[str, Pooling] = {
    "num_problems": _total,
    "num_correct": _total,
    "num_undecided": _total,
    "num_failed": _total,
    "num_cut.tokens": _total,
    "num_cut.deadline": _total,
    "is_seeded": _everywhere,
    "saturated": _anywhere,
    "usd_per_problem": _ratio("usd_total", "num_problems"),
    "usd_per_correct": _ratio("usd_total", "num_correct"),
    "usd_per_generated_token": _ratio("usd_total", "tokens.generated"),
    "price_band.usd_per_correct": _band("num_correct"),
    "cost_busy.usd_per_correct": _ratio("cost_busy.usd_total", "num_correct"),
    "cost_api.usd_per_correct": _ratio("cost_api.usd_total", "num_correct"),
    "joules_per_problem": _ratio("joules_total", "num_problems"),
    "joules_per_correct": _ratio("joules_total", "num_correct"),
    "usd_per_gpu_hour": _common,
    "num_gpus": _common,
    "generated_tokens_per_s": _PER_SECOND,
    "problems_per_s": _PER_SECOND,
    "mean_in_flight": _mean_by("wall_s"),
    "drain_share": _mean_by("wall_s"),
    "goodput_problems_per_s": _PER_SECOND,
    "goodput_share": _mean_by("num_problems"),
    "goodput_correct_per_s": _PER_SECOND,
    "mfu": _PER_SECOND,
    "bandwidth_utilization": _PER_SECOND,
    "calls.policy.inter_token_s.p99": _mean_by("tokens.generated"),
    "kv_cache_usage_peak": _largest,
    "num_preemptions": _total,
    "prefix_cache_hit_rate": _mean_by("tokens.prompt"),
    "mean_acceptance_length": _mean_by("tokens.generated"),
    "startup_s": _total,
    "held_s": _total,
    "wall_s": _total,
}
PERCENTILES = {"p50": 0.5, "p99": 0.99}
OF_PROBLEMS = (
    "ttft_s.p50",
    "ttfat_s.p50",
    "tta_s.p50",
    "tta_s.p99",
    "queue_s.p50",
    "tpot_excl_first_s.p50",
    "late_s.p99",
)
FIGURES = (*POOLED, *OF_PROBLEMS)


def cell_figures(runs: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Return a row a cell, a column each of `FIGURES` that is known of any; None where it is not.

    `runs` and `problems` are those of `Frames`.
    """
    rows = {
        cell: {key: _of_runs(mine, key, pool) for key, pool in POOLED.items() if key in mine}
        for cell, mine in runs.groupby("cell", sort=False)
    }
    table = pd.DataFrame.from_dict(rows, orient="index").astype(object)
    for name in OF_PROBLEMS:
        column, _, percentile = name.partition(".")
        known = problems.dropna(subset=[column])
        table[name] = known[column].astype(float).groupby(known["cell"]).quantile(PERCENTILES[percentile])
    table = table.astype(object).where(table.notna(), None)
    return table[[name for name in FIGURES if name in table and table[name].notna().any()]]


def _of_runs(runs: pd.DataFrame, key: str, pool: Pooling) -> Any:
    """Return the pooled figure; what is not known of every run is not known of the cell."""
    if pool is not _anywhere and runs[key].isna().any():
        return None
    return pool(runs, key)
