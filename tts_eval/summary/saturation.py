"""Whether the engine kept up with an open load, as far as its arrivals and answers show."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from tts_eval.rundir.outcome import Outcome
from tts_eval.statistics.rank_sum import rank_sum_z
from tts_eval.summary.steadiness import longest_session

Z_ONE_PERCENT, Z_FIVE_PERCENT = 2.33, 1.645  # one-sided
SLIGHT_OVERLOAD = 1.1  # arrivals per answer that a run has to rule out to be called underloaded


def saturation_figures(outcomes: Sequence[Outcome], *, is_open: bool) -> dict[str, Any]:
    """Return whether answers fell behind arrivals, and the counts behind the verdict.

    Looked at is the second half of the arrivals, in time. `saturated` is true if fewer problems were
    answered in it than arrived (A - C > 2.33 sqrt(A + C), as for two Poisson counts) and those that
    arrived in it took longer than those before (rank sum, z > 2.33). It is false only where an overload of
    10% is ruled out: an engine that is always busy would answer A / 1.1 problems, with a variance of as
    many times the squared coefficient of variation of their tokens (a renewal process; at least Poisson's),
    and C exceeds that by 1.645 standard deviations, while problems took no longer (z < 1.645). In between
    the run was too short to tell: None, as for a closed loop, which cannot fall behind, and without any time
    between arrivals.
    """
    inside = longest_session(outcomes)
    arrivals_s = [outcome.spend.arrived_s for outcome in inside]
    begin_s, end_s = min(arrivals_s, default=0.0), max(arrivals_s, default=0.0)
    if not is_open or begin_s == end_s:
        return {"saturated": None, "saturation": None}
    middle_s = (begin_s + end_s) / 2
    later = [outcome.spend.tta_s for outcome in inside if outcome.spend.arrived_s > middle_s]
    earlier = [outcome.spend.tta_s for outcome in inside if outcome.spend.arrived_s <= middle_s]
    num_answers = sum(middle_s < outcome.spend.finished_s <= end_s for outcome in inside)
    backlog_z = (len(later) - num_answers) / math.sqrt(len(later) + num_answers)
    busy_answers = len(later) / SLIGHT_OVERLOAD
    underload_z = (num_answers - busy_answers) / math.sqrt(busy_answers * _dispersion(inside))
    tta_z = rank_sum_z(earlier, later)
    saturated = None
    if backlog_z > Z_ONE_PERCENT and tta_z > Z_ONE_PERCENT:
        saturated = True
    elif underload_z > Z_FIVE_PERCENT and tta_z < Z_FIVE_PERCENT:
        saturated = False
    return {
        "saturated": saturated,
        "saturation": {
            "window_s": (middle_s, end_s),
            "num_arrivals": len(later),
            "num_answers": num_answers,
            "arrivals_per_s": len(later) / (end_s - middle_s),
            "answers_per_s": num_answers / (end_s - middle_s),
            "backlog_z": backlog_z,
            "underload_z": underload_z,
            "tta_z": tta_z,
        },
    }


def _dispersion(outcomes: Sequence[Outcome]) -> float:
    """Return the variance of the number of answers of a busy engine over its mean."""
    tokens = [outcome.spend.num_generated_tokens for outcome in outcomes]
    mean = statistics.fmean(tokens)
    return max(1.0, statistics.pvariance(tokens) / mean**2) if mean else 1.0
