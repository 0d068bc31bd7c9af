"""How the FLOPs of a run spread over its problems.

Knows no formula of its own: the sums are the summary's, whatever was counted there.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from tts_eval.frames import Frames
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.flops import call_flops
from tts_eval.running.directory import RunDirectory

SUMMARY_ROLES = {"policy": "policy", "verifier": "verifier"}  # every other role is a draft model there


class _Call(msgspec.Struct):
    """What is read of a call: there may be millions."""

    session: int
    problem_id: str
    role: str
    num_prompt_tokens: int
    num_cached_tokens: int
    num_generated_tokens: int


_CALLS = msgspec.json.Decoder(_Call)


def flops_by_problem(frames: Frames) -> pd.Series[Any]:
    """Return the FLOPs of each row of `frames.problems`; NaN where the run's are not known.

    A role's FLOPs are shared out by those of its calls, as if each had the policy's architecture: exact for
    the policy, an estimate of who used a verifier or a draft model how much.
    """
    parts = [
        pd.Series(_of_run(str(run), frames.runs.loc[str(run)].to_dict(), mine), index=mine.index)
        for run, mine in frames.problems.groupby("run", sort=False)
    ]
    return pd.concat(parts).reindex(frames.problems.index)


def _of_run(run: str, row: Mapping[Any, Any], problems: pd.DataFrame) -> list[float]:
    total = row["flops_per_problem.total"]
    directory = RunDirectory(Path(run))
    manifest = directory.manifest()
    if total is None or math.isnan(total) or manifest["architecture"] is None:
        return [math.nan] * len(problems)
    architecture = read_architecture(manifest["architecture"])

    @cache
    def flops(num_prompt_tokens: int, num_cached_tokens: int, num_generated_tokens: int) -> int:
        return call_flops(
            architecture,
            num_prompt_tokens=num_prompt_tokens,
            num_cached_tokens=num_cached_tokens,
            num_generated_tokens=num_generated_tokens,
        )

    sessions = dict(zip(problems["problem"], problems["session"], strict=True))
    spent: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(sessions, 0.0))
    for call in _CALLS.decode_lines(directory.whole_lines("calls")):
        if sessions.get(call.problem_id) == call.session:
            role = SUMMARY_ROLES.get(call.role, "draft")
            spent[role][call.problem_id] += flops(
                call.num_prompt_tokens, call.num_cached_tokens, call.num_generated_tokens
            )
    shares = dict.fromkeys(sessions, 0.0)
    for role, by_problem in spent.items():
        a_flop = row[f"flops_per_problem.{role}"] * len(sessions) / sum(by_problem.values())
        for problem, own in by_problem.items():
            shares[problem] += own * a_flop
    return list(shares.values())
