"""The task: settings checked, splits disjoint, and every kind of wrong step told by its name."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tasks.pocket import (
    LARGEST_FACTOR,
    LEVEL_FACTORS,
    SMALLEST_FACTOR,
    PocketTask,
    check_step,
    check_trace,
    draw_factors,
    parse_question,
    product,
    question_of,
    splits_of,
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limit": 0}, "task.limit must be a whole number from 1 to 2000, not 0"),
        ({"levels": (1, 6)}, r"task.levels must be some of 1, 2, 3, 4, 5, each once, not \[1, 6\]"),
        ({"levels": ()}, "task.levels must be some of"),
        ({"split": "valid"}, "task.split must be one of .*, not 'valid'"),
        ({"seed": -1}, "task.seed must be a whole number from 0, not -1"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PocketTask(**settings)


def test_problems_are_repeatable_distinct_and_graded() -> None:
    problems = list(PocketTask(limit=100, seed=3).problems())
    assert problems == list(PocketTask(limit=100, seed=3).problems())
    assert len({problem.question for problem in problems}) == len({problem.id for problem in problems}) == 100
    for problem in problems:
        factors = parse_question(problem.question)
        assert int(str(problem.gold)) == product(factors)
        assert problem.level is not None and len(factors) in LEVEL_FACTORS[problem.level]
        assert len(set(factors)) == len(factors)
        assert all(SMALLEST_FACTOR <= factor <= LARGEST_FACTOR for factor in factors)
    assert [problem.level for problem in problems[:5]] == [1, 2, 3, 4, 5]


def test_seeds_and_levels_select() -> None:
    assert {p.level for p in PocketTask(limit=10, levels=(2, 4)).problems()} == {2, 4}
    first = {p.question for p in PocketTask(limit=50, seed=0).problems()}
    assert len(first & {p.question for p in PocketTask(limit=50, seed=1).problems()}) <= 1


def test_every_small_problem_is_in_one_split_with_all_its_orders() -> None:
    numbers = range(SMALLEST_FACTOR, LARGEST_FACTOR + 1)
    sets = np.array(list(itertools.combinations(numbers, 3)))
    splits = splits_of(sets)
    for order in itertools.permutations(range(3)):
        assert (splits_of(sets[:, order]) == splits).all()
    shares = np.bincount(splits) / len(splits)
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


@pytest.mark.parametrize("size", [2, 3, 12])
def test_draws_stay_in_their_split(size: int) -> None:
    rng = np.random.default_rng(0)
    rows = {split: draw_factors(rng, 500, size, split) for split in ("train", "dev", "test")}
    drawn = {split: {tuple(sorted(row)) for row in found.tolist()} for split, found in rows.items()}
    for one, other in itertools.combinations(drawn.values(), 2):
        assert not one & other


BEFORE = (12, 5, 33, 7)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("12*5=13: 13 33 7", None),
        ("5*33=24: 12 24 7", None),
        ("12*5=14: 14 33 7", "product"),
        ("12*33=20: 20 5 7", "not adjacent"),
        ("5*12=13: 13 33 7", "not adjacent"),
        ("12*6=25: 25 33 7", "absent pair"),
        ("12*5=13: 13 7", "dropped"),
        ("12*5=13: 13 33 33 7", "added"),
        ("12*5=13: 13 34 7", "list"),
        ("12*5=13: 13 7 33", "list"),
        ("12*5=13: 14 33 7", "list"),
        ("12*5=13", "format"),
        ("12*5*33=7: 7 7", "format"),
        ("nonsense", "format"),
    ],
)
def test_each_error_is_named(step: str, error: str | None) -> None:
    assert check_step(step, BEFORE)[0] == error


def test_either_of_two_equal_pairs_may_be_merged() -> None:
    assert check_step("2*3=6: 6 2 3", (2, 3, 2, 3))[0] is None
    assert check_step("2*3=6: 2 3 6", (2, 3, 2, 3))[0] is None
    assert check_step("2*2=4: 4", (2, 3))[0] == "absent pair"


def test_a_trace_is_judged_step_by_step_from_what_stands_there() -> None:
    wrong = "12*5=14: 14 33 7\n\n14*33=39: 39 7\n\n39*7=38: 38\n\n"
    verdicts = check_trace(question_of(BEFORE), wrong)
    assert [verdict.error for verdict in verdicts] == ["product", None, None]
    assert not any(verdict.keeps_product for verdict in verdicts)
    second = "Wait 5*33=24: 12 24 7\n\nhm\n\n12*24=6: 6 7\n\n6*7=42: 42\n\n"
    again = check_trace(question_of(BEFORE), wrong + second)
    assert [verdict.error for verdict in again[3:]] == [None, "format", None, None]
    assert again[-1].keeps_product


def test_a_foreign_question_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a question like 'multiply 12 5 33 mod 47', got 'What is"):
        parse_question("What is 2+2?")
