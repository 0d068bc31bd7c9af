"""How many answers were right, and how those that are none came to be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.grading.grade import Verdict
from tts_eval.measuring.budget import Cut
from tts_eval.records import Finish
from tts_eval.rundir.manifest import Manifest
from tts_eval.rundir.outcome import Outcome
from tts_eval.statistics.intervals import proportion_ci95

HANG_ON_ANSWERS = {
    "num_correct",
    "num_undecided",
    "num_unanswered",
    "accuracy",
    "accuracy_ci95",
    "accuracy_not_reused",
    "accuracy_not_reused_ci95",
    "usd_per_correct",
    "usd_per_correct_ci95",
    "joules_per_correct",
    "goodput_correct_per_s",
    "goodput_correct_share",
}
MANY = 0.2  # the share of answers from which on their endings are warned of


def without_answers(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return `figures` with None for all that hangs on which answers are right.

    With synthetic acceptance times mean something, texts nothing.
    """
    return {
        name: None
        if name in HANG_ON_ANSWERS
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
        "num_unparsed": sum(outcome.num_unparsed for outcome in outcomes),
        "num_failed": sum(outcome.error is not None for outcome in outcomes),
        **ending_figures(outcomes),
        "accuracy": num_correct / len(outcomes) if outcomes else None,
        "accuracy_ci95": proportion_ci95(num_correct, len(outcomes)),
        "num_reused": len(outcomes) - len(solved),
        "accuracy_not_reused": num_solved_correct / len(solved) if solved else None,
        "accuracy_not_reused_ci95": proportion_ci95(num_solved_correct, len(solved)),
    }


def ending_figures(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many problems have no answer, and how many candidates were cut or never stopped thinking.

    A trace that its strategy stopped (finish abort or none) was not cut.
    """
    candidates = [c for o in outcomes if o.attempt is not None for c in o.attempt.candidates]
    ended = [candidate for candidate in candidates if candidate.finish in (Finish.END, Finish.LENGTH)]
    return {
        "num_unanswered": sum(o.attempt is not None and o.attempt.answer is None for o in outcomes),
        "num_candidates": len(candidates),
        "num_truncated": sum(candidate.finish is Finish.LENGTH for candidate in ended),
        "num_unfinished_thinking": sum(candidate.answer_at is None for candidate in ended),
    }


def ending_warnings(summary: Mapping[str, Any]) -> list[str]:
    """Return a line for each ending that more than a share of `MANY` of the answers have."""
    num_candidates, num_problems = summary["num_candidates"], summary["num_problems"]
    num_thinking, num_truncated = summary["num_unfinished_thinking"], summary["num_truncated"]
    num_unanswered = summary["num_unanswered"] or 0
    warnings = []
    if num_thinking > MANY * num_candidates:
        warnings.append(
            f"{num_thinking} of {num_candidates} answers were cut while thinking: raise max_tokens "
            "(if that does not help, does the model end its thinking as model.thinking_end says?)"
        )
    elif num_truncated > MANY * num_candidates:
        warnings.append(f"{num_truncated} of {num_candidates} answers were cut: raise max_tokens")
    elif num_unanswered > MANY * num_problems:
        warnings.append(f"{num_unanswered} of {num_problems} problems have no answer that could be found")
    return warnings


def budget_figures(outcomes: Sequence[Outcome], manifest: Manifest) -> dict[str, Any]:
    """Return budget and declared spend as the manifest has them, and how many each limit cut."""
    return {
        "budget": asdict(manifest.budget),
        "max_spend": None if manifest.max_spend is None else asdict(manifest.max_spend),
        "num_cut": {str(cut): sum(outcome.cut is cut for outcome in outcomes) for cut in Cut},
    }


OF_ROLES = ("prompt", "cached", "generated", "thinking")
KINDS = (*OF_ROLES, "verifier", "draft")


def token_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the sums over problems by kind, by role, and of what the verifier left unread or unscored.

    What the roles have of a kind adds up to its sum.
    """
    spends = [outcome.spend for outcome in outcomes]
    roles = sorted({role for spend in spends for role in spend.by_role})
    return {
        "tokens": {
            **{kind: sum(getattr(spend, f"num_{kind}_tokens") for spend in spends) for kind in KINDS},
            "by_role": {
                role: {
                    kind: sum(
                        getattr(spend.by_role[role], f"num_{kind}_tokens")
                        for spend in spends
                        if role in spend.by_role
                    )
                    for kind in OF_ROLES
                }
                for role in roles
            },
        },
        "num_unread_steps": sum(spend.num_unread_steps for spend in spends),
        "num_unscored_traces": sum(spend.num_unscored_traces for spend in spends),
    }
