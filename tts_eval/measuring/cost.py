"""What a run costs: GPUs held x wall seconds x price, and that sum per token, problem and correct answer.

Knows no price of its own: the hardware configuration states it, with source and date.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.statistics.intervals import Interval, ratio_ci95


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars of one run at its declared load; an interval is over problems (bootstrap), None if unknown."""

    usd_total: float
    usd_per_generated_token: float | None
    usd_per_problem: float | None
    usd_per_problem_ci95: Interval | None
    usd_per_correct: float | None
    usd_per_correct_ci95: Interval | None


def wall_usd(*, num_gpus: int, wall_s: float, usd_per_gpu_hour: float) -> float:
    """Return the dollars of holding `num_gpus` for `wall_s` seconds."""
    return num_gpus * wall_s / 3600 * usd_per_gpu_hour


def cost_of(usd_total: float, *, num_tokens: Sequence[int], is_correct: Sequence[bool]) -> Cost:
    """Divide `usd_total` among problems by the tokens each one generated.

    `num_tokens` and `is_correct` hold one entry a problem. Per correct answer the cost is
    sum(dollars) / sum(correct) over the same problems, infinite when none is correct; its interval is the
    problem-level bootstrap of that ratio.
    """
    num_problems, tokens, num_correct = len(num_tokens), sum(num_tokens), sum(is_correct)
    if num_problems == 0:
        return Cost(usd_total, None, None, None, None, None)
    shares = [usd_total * (n / tokens if tokens else 1 / num_problems) for n in num_tokens]
    return Cost(
        usd_total=usd_total,
        usd_per_generated_token=usd_total / tokens if tokens else math.inf,
        usd_per_problem=usd_total / num_problems,
        usd_per_problem_ci95=ratio_ci95(shares, [1.0] * num_problems),
        usd_per_correct=usd_total / num_correct if num_correct else math.inf,
        usd_per_correct_ci95=ratio_ci95(shares, [float(correct) for correct in is_correct]),
    )
