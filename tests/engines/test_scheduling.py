"""Who is served first follows from the problem; what cannot be ordered is rejected."""

from __future__ import annotations

from typing import Any

import pytest

from tts_eval.engines.scheduling import Scheduling
from tts_eval.records import Problem

EASY, HARD = Problem("easy", "1 + 1", "2", level=1), Problem("hard", "1 + 1 + 1", "3", level=5)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [(None, [0, 0]), ("level", [1, 5]), ("prompt_length", [3, 5]), ("attained", [0, 0])],
)
def test_the_smaller_goes_first(priority: str | None, expected: list[int]) -> None:
    scheduling = Scheduling(chunk_tokens=8, priority=priority)
    found = [
        scheduling.priority_of(problem, num_prompt_tokens=len(problem.question.split()))
        for problem in (EASY, HARD)
    ]

    assert found == expected


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"priority": "fair"},
            "scheduling.priority must be one of level, prompt_length, attained, not 'fair'",
        ),
        ({"chunk_tokens": 0}, "scheduling.chunk_tokens must be a whole number from 1, not 0"),
        ({"priority": "attained"}, "give scheduling.chunk_tokens too"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Scheduling(**settings)


def test_problems_without_a_level_cannot_be_ordered_by_it() -> None:
    with pytest.raises(ValueError, match=r"priority=level: problem odd has no level; allowed: null, "):
        Scheduling(priority="level").check([EASY, Problem("odd", "1 + 3", "4")])
