"""Problems on which something ran away: loops, thinking that was cut off, spending far above its level's."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tts_eval.analysis.frames import Frames
from tts_eval.records import Finish
from tts_eval.statistics.loops import times_repeated

MIN_REPEATS = 4
MIN_LOOP_CHARS = 80
OUTLIER_SPREADS = 3.0
FEWEST_FOR_SPREAD = 8


def runaways(frames: Frames) -> pd.DataFrame:
    """Return `run`, `problem`, `level` and the flags below for every problem that has one of them.

    `num_loops`: traces that end in a stretch of at least 80 characters in which one unit stands four times or
    more. `num_truncated`: traces that were cut at their length without an answer. `is_spend_outlier`: the
    problem's generated tokens are above the third quartile by more than three interquartile ranges of their
    logarithm (Tukey's outer fence), among the problems of its level in its run; a level of fewer than eight
    problems has no outliers. `times_median` is how many times its level's median was spent.
    """
    table = frames.problems[["run", "problem", "level", "num_generated_tokens"]].copy()
    traces = frames.candidates
    if not traces.empty:
        is_loop = [times_repeated(t, min_chars=MIN_LOOP_CHARS) >= MIN_REPEATS for t in traces["text"]]
        is_cut = (traces["finish"] == Finish.LENGTH) & traces["answer"].isna()
        flags = traces[["run", "problem"]].assign(num_loops=is_loop, num_truncated=is_cut)
        counts = flags.groupby(["run", "problem"], sort=False).sum().reset_index()
        table = table.merge(counts, on=["run", "problem"], how="left")
    else:
        table = table.assign(num_loops=0, num_truncated=0)
    table = table.fillna({"num_loops": 0, "num_truncated": 0})
    table[["num_loops", "num_truncated"]] = table[["num_loops", "num_truncated"]].astype(int)
    tokens = table["num_generated_tokens"].astype(float).clip(lower=1).apply(math.log)
    alike = tokens.groupby([table["run"], table["level"].fillna(-1)])
    low, middle, high = (alike.transform("quantile", q) for q in (0.25, 0.5, 0.75))
    is_enough = alike.transform("size") >= FEWEST_FOR_SPREAD
    table["is_spend_outlier"] = is_enough & (tokens > high + OUTLIER_SPREADS * (high - low)) & (high > low)
    table["times_median"] = np.exp(tokens - middle)
    is_flagged = (table["num_loops"] > 0) | (table["num_truncated"] > 0) | table["is_spend_outlier"]
    return table[is_flagged].drop(columns="num_generated_tokens").reset_index(drop=True)
