"""Whether the engine kept up with an open load.

Knows no engine: arrivals and answers tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tts_eval.running.figures.steadiness import longest_session
from tts_eval.running.outcome import Outcome
from tts_eval.statistics.rank_sum import rank_sum_z

Z_ONE_PERCENT = 2.33  # one-sided


def saturation_figures(outcomes: Sequence[Outcome], *, is_open: bool) -> dict[str, Any]:
    """Return whether answers fell behind arrivals, and the counts behind the verdict.

    Looked at is the second half of the arrivals, in time. `saturated` is true if fewer problems were
    answered in it than arrived (A - C > 2.33 sqrt(A + C), as for two Poisson counts) and those that
    arrived in it took longer than those before (rank sum, z > 2.33); false if answers did not fall behind
    by more than chance. If they did and yet took no longer, the run was too short to tell: None, as for a
    closed loop, which cannot fall behind, and without any time between arrivals.
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
    tta_z = rank_sum_z(earlier, later)
    fell_behind, took_longer = backlog_z > Z_ONE_PERCENT, tta_z > Z_ONE_PERCENT
    return {
        "saturated": None if fell_behind and not took_longer else fell_behind,
        "saturation": {
            "window_s": (middle_s, end_s),
            "num_arrivals": len(later),
            "num_answers": num_answers,
            "arrivals_per_s": len(later) / (end_s - middle_s),
            "answers_per_s": num_answers / (end_s - middle_s),
            "backlog_z": backlog_z,
            "tta_z": tta_z,
        },
    }
