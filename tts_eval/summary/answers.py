"""How many answers were right, and how those that are none came to be none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec

from tts_eval.grading.grade import Reason, Verdict
from tts_eval.records import Finish
from tts_eval.rundir.marks import marks_of
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.statistics.intervals import Interval, proportion_ci95

HANGS_ON_ANSWERS = "hangs on which answers are right"
Value = TypeVar("Value")
OfAnswers = Annotated[Value | None, HANGS_ON_ANSWERS]  # None where texts mean nothing
Figures = TypeVar("Figures", bound=msgspec.Struct)
MANY = 0.2  # the share of answers from which on their endings are warned of


def without_answers(figures: Figures) -> Figures:
    """Return `figures` with None for all that hangs on which answers are right."""
    changed: dict[str, msgspec.Struct | None] = {}
    for name, marks in marks_of(type(figures)).items():
        value = getattr(figures, name)
        if HANGS_ON_ANSWERS in marks:
            changed[name] = None
        elif isinstance(value, msgspec.Struct):
            changed[name] = without_answers(value)
    return msgspec.structs.replace(figures, **changed)


def are_judged(outcomes: Sequence[Outcome]) -> bool:
    """Return whether answers could be right: not where drafts were accepted by chance, nor without gold."""
    grades = [outcome.grade for outcome in outcomes]
    compared = any(grade.verdict is not Verdict.UNDECIDED and grade.reason is None for grade in grades)
    return compared or not any(grade.reason in (Reason.SYNTHETIC, Reason.NO_GOLD) for grade in grades)


class Answers(Topic, frozen=True, kw_only=True):
    """Counts and accuracy; undecided and failed problems count as wrong.

    A trace that its strategy stopped (finish abort or none) was not cut.
    """

    num_problems: int
    num_correct: OfAnswers[int]
    num_undecided: OfAnswers[int]
    num_unparsed: int | None
    num_failed: int
    num_unanswered: OfAnswers[int]
    num_candidates: int
    num_truncated: int
    num_unfinished_thinking: int
    accuracy: OfAnswers[float]
    accuracy_ci95: OfAnswers[Interval]
    num_reused: int
    accuracy_not_reused: OfAnswers[float]
    accuracy_not_reused_ci95: OfAnswers[Interval]


def answer_figures(outcomes: Sequence[Outcome], *, is_replay: bool = False) -> Answers:
    """Return the figures of `outcomes`; of a replay without those that did not parse."""
    candidates = [c for o in outcomes if o.attempt is not None for c in o.attempt.candidates]
    ended = [candidate for candidate in candidates if candidate.finish in (Finish.END, Finish.LENGTH)]
    num_correct = sum(outcome.is_correct for outcome in outcomes)
    solved = [o for o in outcomes if o.attempt is None or o.attempt.reused_from is None]
    num_solved_correct = sum(outcome.is_correct for outcome in solved)
    return Answers(
        num_problems=len(outcomes),
        num_correct=num_correct,
        num_undecided=sum(outcome.grade.verdict is Verdict.UNDECIDED for outcome in outcomes),
        num_unparsed=None if is_replay else sum(outcome.num_unparsed for outcome in outcomes),
        num_failed=sum(outcome.error is not None for outcome in outcomes),
        num_unanswered=sum(o.attempt is not None and o.attempt.answer is None for o in outcomes),
        num_candidates=len(candidates),
        num_truncated=sum(candidate.finish is Finish.LENGTH for candidate in ended),
        num_unfinished_thinking=sum(candidate.answer_at is None for candidate in ended),
        accuracy=num_correct / len(outcomes) if outcomes else None,
        accuracy_ci95=proportion_ci95(num_correct, len(outcomes)),
        num_reused=len(outcomes) - len(solved),
        accuracy_not_reused=num_solved_correct / len(solved) if solved else None,
        accuracy_not_reused_ci95=proportion_ci95(num_solved_correct, len(solved)),
    )


def ending_warnings(answers: Answers) -> list[str]:
    """Return a line for each ending that more than a share of `MANY` of the answers have."""
    num_candidates, num_problems = answers.num_candidates, answers.num_problems
    num_thinking, num_truncated = answers.num_unfinished_thinking, answers.num_truncated
    num_unanswered = answers.num_unanswered or 0
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
