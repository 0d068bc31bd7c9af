"""Whether counts of answers, and the seconds of the run, are those of its problems."""

from __future__ import annotations

from collections.abc import Iterator

from tts_eval.grading.grade import Verdict
from tts_eval.summary.answers import are_judged
from tts_eval.summary.evidence import Evidence, differing
from tts_eval.summary.throughput import wall_seconds


def check_counts(evidence: Evidence) -> Iterator[str]:
    """Yield each count that the problems do not come to."""
    summary, outcomes = evidence.summary, evidence.outcomes
    answers = summary.answers
    yield from differing("num_problems", answers.num_problems, len(outcomes))
    num_failed = sum(outcome.error is not None for outcome in outcomes)
    yield from differing("num_failed", answers.num_failed, num_failed)
    if not summary.about.is_synthetic and are_judged(outcomes):
        num_correct = sum(outcome.is_correct for outcome in outcomes)
        yield from differing("num_correct", answers.num_correct, num_correct)
        num_undecided = sum(outcome.grade.verdict is Verdict.UNDECIDED for outcome in outcomes)
        yield from differing("num_undecided", answers.num_undecided, num_undecided)
        accuracy = num_correct / len(outcomes) if outcomes else None
        yield from differing("accuracy", answers.accuracy, accuracy)
    for cut, found in (summary.budgeted.num_cut or {}).items():
        yield from differing(f"num_cut.{cut}", found, sum(outcome.cut is cut for outcome in outcomes))
    if summary.wall_s is not None:
        yield from differing("wall_s", summary.wall_s, wall_seconds(outcomes))
    for outcome in outcomes:
        attempt = outcome.attempt
        if (attempt is None) != (outcome.error is not None):
            yield f"problem {outcome.problem_id}: has an error and an attempt, or neither"
