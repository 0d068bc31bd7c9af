"""Exact answers: words, numbers within a tolerance, and a field of a JSON object."""

from __future__ import annotations

import pytest

from tts_eval.grading.grade import Verdict
from tts_eval.records import Problem
from tts_eval.toolkit.exact_task import ExactTask


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is Paris.", "Paris"),
        ("the answer is: **São Paulo**", "São Paulo"),
        ("Answer = `x_1 y`", "x_1 y"),
        ("Hm.\n\nfinal answer: 'ACGT'\n", "ACGT"),
        ("so \\boxed{\\text{left turn}}", "left turn"),
        ("Paris", "Paris"),
        ("I think of it.\nRome.", "Rome"),
        ("The answer is 1. No, the answer is 2.", "2"),
        ("The answer is Paris. It lies on the Seine.", "Paris"),
        ("The answer is 12.5. That is all.", "12.5"),
        ("The answer is St. Gallen.", "St. Gallen"),
        ("\n \n", None),
    ],
)
def test_what_a_text_answers(text: str, answer: str | None) -> None:
    assert ExactTask().extract(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"city": "Oslo"}', "Oslo"),
        ('Sure:\n```json\n{"why": {"n": 1}, "city": "Rome"}\n```', "Rome"),
        ('{"city": "Rome"} or rather {"city": "Oslo"} {"town": 1}', "Oslo"),
        ('{"list": [{"city": "inner"}], "city": 3}', "3"),
        ('{"city": [1, 2]}', "[1, 2]"),
        ("{city: Oslo}", None),
        ('{"city": "Os', None),
    ],
)
def test_the_last_object_with_the_field_answers(text: str, answer: str | None) -> None:
    assert ExactTask(json_field="city").extract(text) == answer


@pytest.mark.parametrize(
    ("task", "gold", "answer", "is_same"),
    [
        (ExactTask(), "New  York", "New York", True),
        (ExactTask(), "Paris", "paris", False),
        (ExactTask(ignore_case=True), "Paris", "PARIS", True),
        (ExactTask(), "0.5", "0.50", False),
        (ExactTask(tolerance=0.0), "0.5", "0.50", True),
        (ExactTask(tolerance=0.01), "3.14159", "3.15", True),
        (ExactTask(tolerance=0.001), "3.14159", "3.15", False),
        (ExactTask(tolerance=0.01), "1,000", "1001", True),
        (ExactTask(tolerance=0.01), "-5", "\N{MINUS SIGN}5", True),
        (ExactTask(tolerance=0.01), "nan", "NaN", False),
        (ExactTask(tolerance=1.0), "Paris", "3", False),
    ],
)
async def test_what_is_the_same(task: ExactTask, gold: str, answer: str, is_same: bool) -> None:
    grade = await task.grade(Problem("p", "?", gold), answer)
    assert grade.verdict is (Verdict.EQUAL if is_same else Verdict.UNEQUAL)
    assert await task.group([gold, answer]) == ([[0, 1]] if is_same else [[0], [1]])


def test_a_tolerance_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"task\.tolerance must be a number"):
        ExactTask(tolerance=-1.0)
