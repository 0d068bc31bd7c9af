"""Which cell to deploy, for a stated value of a correct answer and a stated cost of waiting."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd

from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.cells import Cells
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import percentile_ci95

Rate = Literal["value_per_correct_usd", "usd_per_wait_s"]


def utility(cells: Cells, *, value_per_correct_usd: float, usd_per_wait_s: float) -> pd.DataFrame:
    """Return a row a cell, the best first: what a problem is worth, dollars and waiting taken off.

    `utility_usd` is value x accuracy - dollars per problem - cost of waiting x mean time to answer, with its
    interval; `p_best` the share of resamples of problems and runs in which the cell is the best one. Both are
    NaN where the noise of runs is unknown. Cells whose
    dollars or times were not measured are left out, but for a wait that costs nothing.
    """
    for name, rate in (("value_per_correct_usd", value_per_correct_usd), ("usd_per_wait_s", usd_per_wait_s)):
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"{name} must be a number from 0, not {rate!r}")
    usd, wait = axis_of("usd_per_problem"), axis_of("tta_s_mean")
    worth = value_per_correct_usd * cells.accuracy - cells.cost(usd)
    resampled = value_per_correct_usd * cells.resampled_accuracy - cells.resampled_cost(usd)
    if usd_per_wait_s:
        worth = worth - usd_per_wait_s * cells.cost(wait)
        resampled = resampled - usd_per_wait_s * cells.resampled_cost(wait)
    has_noise = all(cells.run_noise(axis) for axis in (usd, *([wait] if usd_per_wait_s else [])))
    known = np.flatnonzero(~np.isnan(worth))
    best = resampled[:, known].argmax(axis=1) if len(known) else np.array([], int)
    rows = []
    for place, cell in enumerate(known):
        low, high = percentile_ci95(resampled[:, cell]) if has_noise else (math.nan, math.nan)
        rows.append(
            {
                "cell": cells.names[cell],
                "utility_usd": worth[cell],
                "utility_usd_low": low,
                "utility_usd_high": high,
                "p_best": float(np.mean(best == place)) if has_noise else math.nan,
            }
        )
    columns = ["cell", "utility_usd", "utility_usd_low", "utility_usd_high", "p_best"]
    table = pd.DataFrame(rows, columns=columns).set_index("cell")
    return table.sort_values("utility_usd", ascending=False, kind="stable")


def best_ranges(
    cells: Cells, *, over: Rate, value_per_correct_usd: float = 0.0, usd_per_wait_s: float = 0.0
) -> pd.DataFrame:
    """Return the ranges of the rate `over`, from 0 to infinity, in which each cell is the best: exact.

    The other rate is held at what is given. Utilities are lines in the rate, so that each cell is the best in
    one range at most; a row holds `cell`, `low` and `high`, in the order of the rate.
    """
    if over not in ("value_per_correct_usd", "usd_per_wait_s"):
        raise ValueError(f"over must be value_per_correct_usd or usd_per_wait_s, not {over!r}")
    accuracy, usd = cells.accuracy, cells.cost(axis_of("usd_per_problem"))
    wait_s = cells.cost(axis_of("tta_s_mean"))
    if over == "value_per_correct_usd":
        slope = accuracy
        at_zero = -usd - (usd_per_wait_s * wait_s if usd_per_wait_s else 0.0)
    else:
        slope, at_zero = -wait_s, value_per_correct_usd * accuracy - usd
    known = np.flatnonzero(~np.isnan(slope + at_zero))
    ranges = upper_envelope(slope[known], at_zero[known])
    rows = [(cells.names[known[line]], low, high) for line, low, high in ranges]
    return pd.DataFrame(rows, columns=["cell", "low", "high"]).set_index("cell")


def upper_envelope(slope: Floats, at_zero: Floats) -> list[tuple[int, float, float]]:
    """Return which of the lines at_zero + slope · x is the highest where, for x from 0: (line, from, to).

    Of lines that meet, the steeper one is the higher from there on; of equal lines the first is named.
    """
    ranges = []
    x = 0.0
    line = max(range(len(slope)), key=lambda i: (at_zero[i], slope[i]), default=None)
    while line is not None:
        steeper = np.flatnonzero(slope > slope[line])
        meets = (at_zero[line] - at_zero[steeper]) / (slope[steeper] - slope[line])
        if not len(steeper):
            ranges.append((line, x, math.inf))
            break
        nearest = float(meets.min())
        ranges.append((line, x, nearest))
        x = nearest
        there = steeper[meets <= nearest * (1 + 1e-12)]
        line = int(max(there, key=lambda i: slope[i]))
    return ranges
