"""Figures: votes, best-of-n and step judgement on samples small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pocket import figures
from pocket import tokenizer as tok
from pocket.figures import NO_ANSWER, Sample, Step

RIGHT, UNKNOWN = Step(True, "", 0.9), Step(False, "unknown product", 0.2)


def sample(answer: int, *scores: float, gold: int = 1) -> Sample:
    return Sample(answer, answer == gold, 10, tuple(Step(True, "", s) for s in scores), scores, scores[0])


GROUP = [sample(2, 0.9, 0.3), sample(2, 0.8, 0.2), sample(1, 0.7, 0.6), sample(NO_ANSWER, 0.1, 0.1)]


def test_aggregates() -> None:
    assert [GROUP[0].score(name) for name in figures.AGGREGATES] == [0.3, 0.3, pytest.approx(0.27)]
    assert Sample(1, True, 3, (), ()).score("min") == 0.0


def test_votes_and_choices() -> None:
    assert figures.majority([GROUP], 4).tolist() == [0.0]
    assert figures.majority([GROUP], 2).tolist() == [0.5]  # groups of two: 2 2, then 1 and no answer
    assert figures.weighted_vote([GROUP], 4, "min").tolist() == [1.0]
    assert figures.best_of([GROUP], 4, "min").tolist() == [1.0]
    assert figures.best_of([GROUP], 4, "outcome").tolist() == [0.0]
    assert figures.pass_at([GROUP], 4).tolist() == [1.0] and figures.pass_at([GROUP], 1).tolist() == [0.25]


def test_the_interval_holds_the_mean() -> None:
    mean, low, high = figures.interval([0.0, 1.0] * 100)
    assert low < mean == 0.5 < high and high - low == pytest.approx(0.14, abs=0.02)


def test_auc_within_problems_ignores_what_differs_between_them() -> None:
    easy = [Sample(1, True, 1, (Step(True, "", 0.9), Step(False, "list", 0.8)), ())]
    hard = [Sample(1, True, 1, (Step(True, "", 0.2), Step(False, "list", 0.1)), ())]
    only = [Sample(1, True, 1, (Step(True, "", 0.2),), ())]
    assert figures.within_problem_auc([easy, hard, only]).tolist() == [1.0, 1.0]
    assert figures.auc(np.array([0.5]), np.array([0.5])) == 0.5


def test_what_follows_the_first_error_is_not_judged() -> None:
    wrong = (RIGHT, UNKNOWN, Step(True, "", 0.1), Step(False, "list", 0.9))
    group = [Sample(2, False, 1, wrong, ()), Sample(1, True, 1, (RIGHT,), ())]
    assert figures.error_kinds([group]) == {"unknown product": 1}
    assert figures.recall_by_kind(figures.first_errors([group])) == {"unknown product": (1.0, 1)}
    assert figures.false_alarms([group]).tolist() == [0.0, 0.0]
    assert figures.within_problem_auc([group]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (" 1 * 2 = 2 : 2\n\n</think>\\boxed{ 2}", 2),
        ("\\boxed{ 3}</think>\\boxed{ 4}\\boxed{ 5}", 5),
        ("\\boxed{ 3}", NO_ANSWER),
        ("</think>\\boxed{", NO_ANSWER),
    ],
)
def test_the_answer_is_the_last_box_after_the_thinking(text: str, answer: int) -> None:
    assert figures.answer_of(tok.build_tokenizer().encode(text)) == answer


def test_kinds_tell_the_unknown_from_the_forgotten() -> None:
    trace = " 44 * 5 = 30 : 30 3\n\n 30 * 3 = 44 : 44\n\n</think>"
    verdicts = figures.step_verdicts((44, 5, 3), tok.build_tokenizer().encode(trace))
    assert verdicts == [(False, "unknown product"), (False, "known product")]
