"""Choices: which letter a text states, how options are put, and what counts as the same choice."""

from __future__ import annotations

import pytest

from tts_eval.grading.grade import Grade, Verdict
from tts_eval.records import Problem
from tts_eval.toolkit.choice_task import ASKED, OPTIONS, ChoiceTask, lettered

CITIES = ("Paris", "Rome", "The Hague", "Oslo")
SEAT = Problem("nl", "Seat of government?", "C", metadata={OPTIONS: CITIES})


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (C).", "C"),
        ("**Answer: C**", "C"),
        ("Answer: **C**", "C"),
        ("so \\boxed{C}", "C"),
        ("so \\boxed{\\text{(C)}}", "C"),
        ("so $\\boxed{\\textbf{C}}$.", "C"),
        ("\\boxed{C. The Hague}", "C"),
        ("\\boxed{(C) The Hague}", "C"),
        ("C", "C"),
        ("(C)", "C"),
        ("The correct option is C) The Hague", "C"),
        ("It cannot be A or B, as Rome is no seat. The correct answer is C: The Hague.", "C"),
        ("First I thought the answer is A. But no: the answer is C.", "C"),
        ("\\boxed{c}", "C"),
        ("The final answer is: (J)", "J"),
    ],
)
def test_the_letter_that_is_stated(text: str, letter: str) -> None:
    assert ChoiceTask().extract(text) == letter


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("C", Verdict.EQUAL),
        ("(C)", Verdict.EQUAL),
        ("A", Verdict.UNEQUAL),
        ("the hague", Verdict.EQUAL),
        ("\\text{The Hague}", Verdict.EQUAL),
        ("Hague", Verdict.UNEQUAL),
        ("A or C", Verdict.UNEQUAL),
        ("Paris", Verdict.UNEQUAL),
        ("E", Verdict.UNEQUAL),
        ("12", Verdict.UNEQUAL),
    ],
)
async def test_a_letter_or_the_text_of_one_option_is_graded(answer: str, verdict: Verdict) -> None:
    assert await ChoiceTask().grade(SEAT, answer) == Grade(verdict)


async def test_an_option_s_text_that_two_options_share_chooses_none() -> None:
    twice = Problem("p", "?", "A", metadata={OPTIONS: ("x", "X.", "y")})
    assert await ChoiceTask().grade(twice, "x") == Grade(Verdict.UNEQUAL)


async def test_votes_for_one_letter_are_counted_together() -> None:
    said = ["C", "(C)", None, "A", "\\text{C}", "the hague"]
    assert await ChoiceTask().group(said) == [[0, 1, 4], [3], [5]]
    assert await ChoiceTask().group(["B"]) == [[0]]
    assert await ChoiceTask().num_unparsed(["the hague"]) == 0


def test_options_are_shuffled_by_seed_and_problem() -> None:
    asked = [lettered(Problem(str(n), "Where?", None), CITIES, 2, seed=0) for n in range(40)]
    again = [lettered(Problem(str(n), "Where?", None), CITIES, 2, seed=0) for n in range(40)]
    other = [lettered(Problem(str(n), "Where?", None), CITIES, 2, seed=1) for n in range(40)]

    assert asked == again
    assert [problem.gold for problem in asked] != [problem.gold for problem in other]
    assert {problem.gold for problem in asked} == set("ABCD")
    for problem in asked:
        assert problem.metadata[OPTIONS]["ABCD".index(problem.gold or "")] == "The Hague"
        assert f"\n{problem.gold}. The Hague\n" in problem.question
        assert problem.question.endswith(f"\n\n{ASKED}")


@pytest.mark.parametrize(
    "last", ["None of the above", "All of the above.", "Both A and B", "A and C", "neither of these"]
)
def test_options_that_refer_to_others_keep_their_order(last: str) -> None:
    options = ("1", "2", "3", last)
    for number in range(10):
        problem = lettered(Problem(str(number), "?", None), options, 3, seed=0)
        assert (problem.gold, problem.metadata[OPTIONS]) == ("D", options)


@pytest.mark.parametrize(
    ("options", "says"), [(["1"], "2 to 10 options, not 1"), (["x", "X"], "one option twice: x, X")]
)
def test_options_that_make_no_choice(options: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        lettered(SEAT, options, 0, seed=None)
