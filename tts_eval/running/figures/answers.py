"""How many answers were right.

Knows no time and no price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tts_eval.grading.grade import Verdict
from tts_eval.running.outcome import Outcome
from tts_eval.statistics.intervals import proportion_ci95

HANG_ON_ANSWERS = ("accuracy", "correct", "undecided")


def without_answers(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return `figures` with None for all that hangs on which answers are right.

    With synthetic acceptance times mean something, texts nothing.
    """
    return {
        name: None
        if any(word in name for word in HANG_ON_ANSWERS)
        else without_answers(value)
        if isinstance(value, Mapping)
        else value
        for name, value in figures.items()
    }


def answer_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return counts and accuracy; undecided and failed problems count as wrong."""
    num_correct = sum(outcome.is_correct for outcome in outcomes)
    solved = [o for o in outcomes if o.attempt is None or o.attempt.reused_from is None]
    num_solved_correct = sum(outcome.is_correct for outcome in solved)
    return {
        "num_problems": len(outcomes),
        "num_correct": num_correct,
        "num_undecided": sum(outcome.grade.verdict is Verdict.UNDECIDED for outcome in outcomes),
        "num_failed": sum(outcome.error is not None for outcome in outcomes),
        "accuracy": num_correct / len(outcomes) if outcomes else None,
        "accuracy_ci95": proportion_ci95(num_correct, len(outcomes)),
        "num_reused": len(outcomes) - len(solved),
        "accuracy_not_reused": num_solved_correct / len(solved) if solved else None,
        "accuracy_not_reused_ci95": proportion_ci95(num_solved_correct, len(solved)),
    }
