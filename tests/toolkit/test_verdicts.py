"""A judge's grade is found however it is marked up, and is not made up where there is none."""

import pytest

from tts_eval.toolkit.verdicts import grade_of


@pytest.mark.parametrize(
    ("verdict", "grade"),
    [
        ("All right.\nGrade: 9", 0.9),
        ("Grade: \\boxed{9}", 0.9),
        ("**Grade:** 9", 0.9),
        ("**Grade: 9**", 0.9),
        ("Grade: $\\boxed{\\text{9}}$", 0.9),
        ("### Grade\n9/10", 0.9),
        ("Grade: 9/10.", 0.9),
        ("Score: 9 out of 10", 0.9),
        ("Final score = 9.", 0.9),
        ("I would rate this solution 9/10 overall.", 0.9),
        ("The final grade for this solution is 9.", 0.9),
        ("grade: 8.5", 0.85),
        ("Grade: 90%", 0.9),
        ("Grade: 90/100", 0.9),
        ('{"grade": 9}', 0.9),
        ("| Grade | 9 |", 0.9),
        ("Grade (0 to 10): 9", 0.9),
        ("Grade: <9>", 0.9),
        ("The solution is right.\n\n**9**", 0.9),
        ("The solution is right.\n\n\\boxed{9}", 0.9),
        ("Grade: 10", 1.0),
        ("Grade: 0", 0.0),
        ("Grade: 3? No, looking again: Grade: 8", 0.8),
        ("Grade: 8\n(A score of 3 would be for a wrong step.)", 0.8),
        ("Step 2 scores 3/10. Grade: 7", 0.7),
    ],
)
def test_a_grade_is_found(verdict: str, grade: float) -> None:
    assert grade_of(verdict, highest=10) == pytest.approx(grade)


@pytest.mark.parametrize(
    "verdict",
    [
        "",
        "I cannot tell.",
        "Grade: 11",
        "Grade: -1",
        "Grade: 7-8",
        "Grade: 7 or 8",
        "Grade: <whole number from 0 to 10>",
        "Grade: high",
        "The answer 7 is right.",
        "It gets \\boxed{7} in 3 steps, as it should.",
        "There are 10 steps.",
        "Grade each step: step 1 is right",
    ],
)
def test_where_there_is_none_none_is_made_up(verdict: str) -> None:
    assert grade_of(verdict, highest=10) is None


def test_another_scale() -> None:
    assert grade_of("Score: 4 out of 5", highest=5) == pytest.approx(0.8)
    assert grade_of("Rating: 7", highest=5) is None
