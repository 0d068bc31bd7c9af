"""What a run costs, and that sum per token, problem and correct answer.

Dollars come in three modes: of holding the GPUs for the whole run (wall), of the time they worked (busy),
and what an API would have charged for the tokens (api). Only the sums differ, so one `Cost` does for all
three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from tts_eval.statistics.intervals import Interval, mean_ci95, ratio_ci95
from tts_eval.summary.answers import OfAnswers


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Dollars of one run at its declared load; an interval is over problems (bootstrap), None if unknown."""

    usd_total: float | None = None
    usd_per_generated_token: float | None = None
    usd_per_generated_token_ci95: Interval | None = None
    usd_per_problem: float | None = None
    usd_per_problem_ci95: Interval | None = None
    usd_per_correct: OfAnswers[float] = None
    usd_per_correct_ci95: OfAnswers[Interval] = None


def wall_usd(*, num_gpus: int, wall_s: float, usd_per_gpu_hour: float) -> float:
    """Return the dollars of holding `num_gpus` for `wall_s` seconds."""
    return num_gpus * wall_s / 3600 * usd_per_gpu_hour


def shared_out(total: float, weights: Sequence[float]) -> list[float]:
    """Return the parts of `total` that go with `weights`; equal parts where all of them are 0."""
    all_weights = sum(weights)
    return [total * (weight / all_weights if all_weights else 1 / len(weights)) for weight in weights]


def per_unit(amount: float, count: int) -> float:
    """Return `amount` over `count`, infinite where there is nothing to spread it over."""
    return amount / count if count else math.inf


def cost_of(usd: Sequence[float], *, num_tokens: Sequence[int], is_correct: Sequence[bool]) -> Cost:
    """Return what the dollars of each problem come to per token, problem and correct answer.

    The sequences hold one entry a problem. Each figure is a ratio of sums over the same problems; for the
    intervals problems are resampled.
    """
    usd_total = math.fsum(usd)
    if not usd:
        return Cost(usd_total=usd_total)
    return Cost(
        usd_total=usd_total,
        usd_per_generated_token=per_unit(usd_total, sum(num_tokens)),
        usd_per_generated_token_ci95=ratio_ci95(usd, num_tokens),
        usd_per_problem=usd_total / len(usd),
        usd_per_problem_ci95=mean_ci95(usd),
        usd_per_correct=per_unit(usd_total, sum(is_correct)),
        usd_per_correct_ci95=ratio_ci95(usd, is_correct),
    )


def marginal_usd_per_correct(
    *, usd: float, num_correct: int, baseline_usd: float, baseline_num_correct: int
) -> float | None:
    """Return the extra dollars for each extra correct answer over a baseline on the same problems.

    The incremental cost-effectiveness ratio: negative where more answers were correct for less money,
    infinite where more money bought none, None where less money bought none: then nothing was paid for.
    """
    extra_usd, num_extra = usd - baseline_usd, num_correct - baseline_num_correct
    if num_extra > 0:
        return extra_usd / num_extra
    return math.inf if extra_usd > 0 else None


Stretch = tuple[float, float]  # start and end, in seconds


def busy_shares_s(calls: Sequence[Stretch], *, num_replicas: int = 1) -> list[float]:
    """Return each call's share of the seconds in which replicas of an engine had a call to run.

    At every moment the calls that run have equal shares, so that the shares of all calls add up to the busy
    time: the sum over steps of dt / batch of a continuously batching engine, seen from outside. Fewer calls
    than replicas (data parallelism) keep one replica each busy; where there are more, all are.
    """
    change: dict[float, int] = {}
    for start_s, end_s in calls:
        change[start_s] = change.get(start_s, 0) + 1
        change[end_s] = change.get(end_s, 0) - 1
    moments = sorted(change)
    share_s = dict.fromkeys(moments[:1], 0.0)  # of one call that had run since the first moment
    num_running = 0
    for earlier_s, later_s in pairwise(moments):
        num_running += change[earlier_s]
        grown_s = (later_s - earlier_s) * min(1.0, num_replicas / num_running) if num_running else 0.0
        share_s[later_s] = share_s[earlier_s] + grown_s
    return [share_s[end_s] - share_s[start_s] for start_s, end_s in calls]
