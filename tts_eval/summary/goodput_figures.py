"""How many problems met the stated latency objectives.

Knows no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.rundir.outcome import Outcome
from tts_eval.summary.goodput import Objectives


def goodput_figures(outcomes: Sequence[Outcome], held_s: float, objectives: Objectives) -> dict[str, Any]:
    """Return rate and share of the problems that met all objectives; None where nothing can be said.

    That is where none is stated, or one on a time that is known of no problem. Failed problems met none.
    """
    can_tell = bool(outcomes) and bool(objectives.stated)
    for name in objectives.stated:
        can_tell = can_tell and any(getattr(outcome.spend, name) is not None for outcome in outcomes)
    good = [outcome for outcome in outcomes if outcome.error is None and objectives.met_by(outcome.spend)]
    num_correct = sum(outcome.is_correct for outcome in good)
    return {
        "objectives": dict(objectives.stated),
        "goodput_problems_per_s": len(good) / held_s if can_tell and held_s else None,
        "goodput_share": len(good) / len(outcomes) if can_tell else None,
        "goodput_correct_per_s": num_correct / held_s if can_tell and held_s else None,
        "goodput_correct_share": num_correct / len(outcomes) if can_tell else None,
    }
