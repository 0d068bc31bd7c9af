"""How the FLOPs of a run spread over its problems.

They are counted call by call as the summary counts them (`running.figures.call_flops`), so that the problems'
FLOPs add up to the summary's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tts_eval.analysis.frames import Frames
from tts_eval.rundir.directory import RunDirectory
from tts_eval.summary.call_flops import FlopsCounter
from tts_eval.summary.drafts import drafted_calls
from tts_eval.summary.flops import flops_by_problem as of_problems


def flops_by_problem(frames: Frames) -> pd.Series[Any]:
    """Return the FLOPs of each row of `frames.problems`; NaN where the run's are not known.

    Raises ValueError where those of a run do not add up to its summary's: its files have been changed.
    """
    parts = [
        pd.Series(_of_run(str(run), frames.runs.loc[str(run)].to_dict(), mine), index=mine.index)
        for run, mine in frames.problems.groupby("run", sort=False)
    ]
    return pd.concat(parts).reindex(frames.problems.index)


def _of_run(run: str, row: Mapping[Any, Any], problems: pd.DataFrame) -> list[float]:
    per_problem = row["flops_per_problem.total"]
    if per_problem is None or math.isnan(per_problem):
        return [math.nan] * len(problems)
    directory = RunDirectory(Path(run))
    manifest = directory.manifest()
    sessions = dict(zip(problems["problem"], problems["session"], strict=True))
    calls, _ = drafted_calls(directory, sessions, manifest)
    flops = of_problems(calls, FlopsCounter.of_run(manifest))
    shares = [float(flops.get(problem) or 0) for problem in sessions]
    total = per_problem * len(sessions)
    if not math.isclose(sum(shares), total, rel_tol=1e-9):
        raise ValueError(
            f"{run}: the FLOPs of its problems add up to {sum(shares):.6g}, its summary has {total:.6g}; "
            f"python -m tts_eval.audit {run} lists what does not add up"
        )
    return shares
