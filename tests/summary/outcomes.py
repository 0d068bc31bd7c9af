"""Outcomes made of calls with round numbers, so that figures can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.grading.grade import Grade, Verdict
from tts_eval.measuring.meter import Meter
from tts_eval.records import Finish
from tts_eval.rundir.outcome import Outcome
from tts_eval.spend import Call


def call(
    problem_id: str, role: str, start_s: float, end_s: float, *, prompt: int, generated: int, **further: Any
) -> Call:
    """Return a call of `prompt` tokens that generated so many from `start_s` to `end_s`."""
    settings: dict[str, Any] = {"num_cached_tokens": 0, "queue_s": 0.0, "finish": Finish.END, **further}
    return Call(
        problem_id=problem_id,
        number=0,
        role=role,
        seed=None,
        num_prompt_tokens=prompt,
        num_generated_tokens=generated,
        submitted_s=start_s,
        finished_s=end_s,
        **settings,
    )


def outcome(problem_id: str, calls: Sequence[Call], *, is_correct: bool, session: int = 0) -> Outcome:
    """Return a problem that arrived with the first of its calls and was answered with the last."""
    mine = [each for each in calls if each.problem_id == problem_id]
    end_s = max(each.finished_s for each in mine)
    meter = Meter(problem_id, lambda: end_s, arrived_s=min(each.submitted_s for each in mine))
    for each in mine:
        meter.add(each)
    grade = Grade(Verdict.EQUAL if is_correct else Verdict.UNEQUAL)
    return Outcome(problem_id, None, "1", session, None, grade, meter.spend())
