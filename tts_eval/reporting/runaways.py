"""What is said of problems that ran away: how many of each kind, and the worst of them, for a few cells."""

from __future__ import annotations

import pandas as pd

from tts_eval.analysis.runaways import runaways
from tts_eval.reporting.details import NUM_CURVES, first_run
from tts_eval.reporting.group import Group, plain_rows
from tts_eval.reporting.parts import Runaways

NUM_WORST = 5


def runaways_of(group: Group) -> list[Runaways]:
    """Return, of one run of each of the first cells on a frontier, what ran away there."""
    runs = {first_run(group, name): name for name in group.on_a_frontier[:NUM_CURVES]}
    frames = group.frames.of_runs(pd.Index(list(runs)))
    num_problems = frames.problems["run"].value_counts()
    found = runaways(frames)
    rows = []
    for run, name in runs.items():
        mine = found[found["run"] == run].sort_values("times_median", ascending=False, kind="stable")
        worst = mine[["problem", "times_median", "num_loops", "num_truncated"]][:NUM_WORST]
        rows.append(
            Runaways(
                cell=name,
                num_problems=int(num_problems[run]),
                num_looping=int((mine["num_loops"] > 0).sum()),
                num_truncated=int((mine["num_truncated"] > 0).sum()),
                num_outliers=int(mine["is_spend_outlier"].sum()),
                worst=plain_rows(worst),
            )
        )
    return rows
