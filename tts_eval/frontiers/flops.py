"""How the FLOPs of a run spread over its problems.

Knows no formula of its own: the sums are the summary's, whatever was counted there.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from tts_eval.frames import Frames
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.flops import call_flops
from tts_eval.running.directory import RunDirectory

SUMMARY_ROLES = {"policy": "policy", "verifier": "verifier"}  # every other role is a draft model there
TOKENS = ["num_prompt_tokens", "num_cached_tokens", "num_generated_tokens"]


def flops_by_problem(frames: Frames) -> pd.Series[Any]:
    """Return the FLOPs of each row of `frames.problems`; NaN where the run's are not known.

    A role's FLOPs are shared out by those of its calls, as if each had the policy's architecture: exact for
    the policy, an estimate of who used a verifier or a draft model how much.
    """
    parts = [_of_run(frames, run) for run in frames.runs.index]
    shares = pd.concat(parts)
    keys = pd.MultiIndex.from_frame(frames.problems[["run", "problem"]])
    return pd.Series(shares.reindex(keys).to_numpy(), index=frames.problems.index)


def _of_run(frames: Frames, run: str) -> pd.Series[Any]:
    row = frames.runs.loc[run].to_dict()
    of_run = frames.problems["run"] == run
    keys = pd.MultiIndex.from_frame(frames.problems.loc[of_run, ["run", "problem"]])
    total = row["flops_per_problem.total"]
    manifest = RunDirectory(Path(run)).read("manifest.json")
    if total is None or math.isnan(total) or manifest is None or manifest["architecture"] is None:
        return pd.Series(math.nan, index=keys)
    architecture = read_architecture(manifest["architecture"])

    @cache
    def flops(num_prompt_tokens: int, num_cached_tokens: int, num_generated_tokens: int) -> int:
        return call_flops(
            architecture,
            num_prompt_tokens=num_prompt_tokens,
            num_cached_tokens=num_cached_tokens,
            num_generated_tokens=num_generated_tokens,
        )

    calls = frames.of_runs(pd.Index([run])).calls
    calls["flops"] = [float(flops(*tokens)) for tokens in calls[TOKENS].itertuples(index=False)]
    calls["role"] = calls["role"].map(SUMMARY_ROLES).fillna("draft")
    spent = calls.pivot_table(index=["run", "problem"], columns="role", values="flops", aggfunc="sum")
    sums = [row[f"flops_per_problem.{role}"] * len(keys) for role in spent.columns]
    shared = (spent / spent.sum() * sums).sum(axis=1)
    return shared.reindex(keys, fill_value=0.0)
