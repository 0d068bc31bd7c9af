"""What a run costs: GPUs held x wall seconds x price, and that sum per token, problem and correct answer.

Knows no price of its own: the hardware configuration states it, with source and date.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.statistics.intervals import Interval, mean_ci95, ratio_ci95


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars of one run at its declared load; an interval is over problems (bootstrap), None if unknown."""

    usd_total: float
    usd_per_generated_token: float | None
    usd_per_generated_token_ci95: Interval | None
    usd_per_problem: float | None
    usd_per_problem_ci95: Interval | None
    usd_per_correct: float | None
    usd_per_correct_ci95: Interval | None


def wall_usd(*, num_gpus: int, wall_s: float, usd_per_gpu_hour: float) -> float:
    """Return the dollars of holding `num_gpus` for `wall_s` seconds."""
    return num_gpus * wall_s / 3600 * usd_per_gpu_hour


def cost_of(
    usd_total: float, *, calls_s: Sequence[float], num_tokens: Sequence[int], is_correct: Sequence[bool]
) -> Cost:
    """Return what `usd_total` comes to per token, problem and correct answer.

    The sequences hold one entry a problem. Each figure is a ratio of sums over the same problems, infinite
    where its denominator is 0; for the intervals a problem's dollars are its share of the seconds that all
    calls took, and problems are resampled.
    """
    num_problems, all_calls_s = len(calls_s), sum(calls_s)
    if num_problems == 0:
        return Cost(usd_total, None, None, None, None, None, None)
    usd = [usd_total * (s / all_calls_s if all_calls_s else 1 / num_problems) for s in calls_s]
    num_correct = sum(is_correct)
    return Cost(
        usd_total=usd_total,
        usd_per_generated_token=_ratio(usd_total, sum(num_tokens)),
        usd_per_generated_token_ci95=ratio_ci95(usd, num_tokens),
        usd_per_problem=usd_total / num_problems,
        usd_per_problem_ci95=mean_ci95(usd),
        usd_per_correct=_ratio(usd_total, num_correct),
        usd_per_correct_ci95=ratio_ci95(usd, is_correct),
    )


def _ratio(usd: float, count: int) -> float:
    return usd / count if count else math.inf
