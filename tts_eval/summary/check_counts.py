"""Whether counts of answers, and the seconds of the run, are those of its problems."""

from __future__ import annotations

from collections.abc import Iterator

from tts_eval.grading.grade import Verdict
from tts_eval.measuring.budget import Cut
from tts_eval.summary.evidence import Evidence, differing
from tts_eval.summary.throughput import wall_seconds


def check_counts(evidence: Evidence) -> Iterator[str]:
    """Yield each count that the problems do not come to."""
    summary, outcomes = evidence.summary, evidence.outcomes
    expected: dict[str, float | None] = {
        "num_problems": len(outcomes),
        "num_failed": sum(outcome.error is not None for outcome in outcomes),
    }
    if not summary["is_synthetic"]:
        num_correct = sum(outcome.is_correct for outcome in outcomes)
        expected |= {
            "num_correct": num_correct,
            "num_undecided": sum(outcome.grade.verdict is Verdict.UNDECIDED for outcome in outcomes),
            "accuracy": num_correct / len(outcomes) if outcomes else None,
        }
    for name, count in expected.items():
        yield from differing(name, summary[name], count)
    for cut in Cut:
        num_cut = sum(outcome.cut is cut for outcome in outcomes)
        if summary["num_cut"] is not None:
            yield from differing(f"num_cut.{cut}", summary["num_cut"][str(cut)], num_cut)
    if summary["wall_s"] is not None:
        yield from differing("wall_s", summary["wall_s"], wall_seconds(outcomes))
    for outcome in outcomes:
        attempt = outcome.attempt
        if (attempt is None) != (outcome.error is not None):
            yield f"problem {outcome.problem_id}: has an error and an attempt, or neither"
