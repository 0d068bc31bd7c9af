"""Runs written down by hand, so that every frontier can be drawn on paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from tts_eval.analysis.frames import Frames


class Solved(NamedTuple):
    """What became of one problem."""

    is_correct: bool
    tokens: int = 10
    tta_s: float = 1.0
    usd: float = 0.01
    level: int = 1
    error: str | None = None


def frames_of(
    cells: Mapping[str, Sequence[Solved]], *, models: Mapping[str, str] | None = None, repeats: int = 1
) -> Frames:
    """Return the frames of a run a cell (or of `repeats` equal ones); problems are called p0, p1, ..."""
    runs, problems = [], []
    for name, solved in cells.items():
        for repeat in range(repeats):
            run = f"{name}/{repeat}"
            runs.append(
                {
                    "run": run,
                    "cell": name,
                    "seed": repeat,
                    "is_open_load": False,
                    "model": (models or {}).get(name, "m"),
                    "strategy": name,
                    "verifier": "none",
                    "engine": "vllm",
                    "speculation": "none",
                    "load": "concurrent k=2",
                    "hardware": "paper",
                    "provenance": "measured",
                    "task": "sums",
                    "fingerprint": "sha256:0",
                    "num_problems": len(solved),
                    "without_accuracy": "",
                    "served_by": {},
                    "flops_per_problem.total": math.nan,
                }
            )
            problems += [
                {
                    "run": run,
                    "cell": name,
                    "problem": f"p{number}",
                    "level": one.level,
                    "is_correct": one.is_correct,
                    "num_generated_tokens": one.tokens,
                    "error": one.error,
                    "tta_s": one.tta_s,
                    "usd": one.usd,
                    "joules": math.nan,
                }
                for number, one in enumerate(solved)
            ]
    return Frames(pd.DataFrame(runs).set_index("run"), pd.DataFrame(problems))


def rights(num_correct: int, num_problems: int = 20, **cost: float) -> list[Solved]:
    """Return problems of which the first `num_correct` are right, all at the same cost."""
    return [Solved(number < num_correct, **cost) for number in range(num_problems)]  # type: ignore[arg-type]
