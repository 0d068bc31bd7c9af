"""Accuracy at a deadline: how often the answer that stands after so many seconds is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tts_eval.analysis.cells import Cells
from tts_eval.analysis.frames import Frames
from tts_eval.statistics.bootstrap import Floats
from tts_eval.statistics.intervals import accuracy_ci95

NUM_DEADLINES = 60


def anytime(cells: Cells, *, deadlines_s: Sequence[float] | None = None) -> pd.DataFrame:
    """Return `cell`, `deadline_s`, `accuracy`, `low`, `high`: a row a cell and deadline.

    A deadline counts from the problem's arrival. Before a problem's first answer none stands, which is wrong.
    By default the deadlines are spread evenly in their logarithm, from the first answer to the last. Cells
    without times (replayed ones) are left out.
    """
    changes = answers_over_time(cells.frames)
    columns = ["cell", "deadline_s", "accuracy", "low", "high"]
    if changes.empty:
        return pd.DataFrame(columns=columns)
    if deadlines_s is None:
        at_s = changes["at_s"].clip(lower=1e-4)
        deadlines_s = [float(s) for s in np.geomspace(at_s.min(), at_s.max(), NUM_DEADLINES)]
    deadlines_s = sorted(deadlines_s)
    index = {name: number for number, name in enumerate(cells.names)}
    rows = []
    for name, mine in changes.groupby("cell", sort=False):
        num_repeats = cells.num_repeats[index[str(name)]]
        for deadline_s, accuracies in zip(
            deadlines_s, _right_by(mine, cells.problems, num_repeats, deadlines_s), strict=True
        ):
            low, high = accuracy_ci95(accuracies, num_repeats=num_repeats) or (np.nan, np.nan)
            rows.append((name, deadline_s, accuracies.mean(), low, high))
    return pd.DataFrame(rows, columns=columns)


def answers_over_time(frames: Frames) -> pd.DataFrame:
    """Return `run`, `cell`, `problem`, `at_s`, `is_correct`: a row for each answer from the moment it stands.

    Interim answers in the order in which they came, and the final one, which stands from `tta_s` on.
    """
    final = frames.problems[["run", "cell", "problem", "tta_s", "is_correct"]].rename(
        columns={"tta_s": "at_s"}
    )
    final = final.dropna(subset=["at_s"])
    if frames.interims.empty:
        return final
    interims = frames.interims[["run", "problem", "at_s", "is_correct"]].dropna(subset=["at_s"])
    interims = interims.merge(frames.runs["cell"], left_on="run", right_index=True)
    return pd.concat([interims, final], ignore_index=True)


def _right_by(
    changes: pd.DataFrame, problems: Sequence[str], num_repeats: int, deadlines_s: Sequence[float]
) -> Floats:
    """Return the share of repeats that are right at each deadline: (num_deadlines, num_problems)."""
    of_one = [changes["run"], changes["problem"]]
    is_right = changes["is_correct"].astype(float)
    step = (is_right - is_right.groupby(of_one).shift(fill_value=0.0)).to_numpy()
    at_s = changes["at_s"].astype(float).groupby(of_one).cummax().to_numpy()
    number = {problem: index for index, problem in enumerate(problems)}
    steps: Floats = np.zeros((len(deadlines_s) + 1, len(problems)))
    first_deadline = np.searchsorted(np.asarray(deadlines_s), at_s, side="left")
    np.add.at(steps, (first_deadline, changes["problem"].map(number).to_numpy(int)), step / num_repeats)
    return np.asarray(steps.cumsum(axis=0)[:-1])
