"""Dollars, worked out on paper."""

import math

import pytest

from tts_eval.summary.cost import cost_of, marginal_usd_per_correct, shared_out, wall_usd


def test_four_gpus_for_half_an_hour_at_two_dollars() -> None:
    assert wall_usd(num_gpus=4, wall_s=1800, usd_per_gpu_hour=2.0) == 4.0


def test_a_dollar_is_shared_out_by_weight_or_evenly() -> None:
    assert shared_out(1.0, [1.0, 3.0]) == pytest.approx([0.25, 0.75])
    assert shared_out(1.0, [0.0, 0.0]) == pytest.approx([0.5, 0.5])


def test_a_dollar_over_four_problems_two_of_them_right() -> None:
    cost = cost_of(
        [0.2, 0.2, 0.4, 0.2],
        num_tokens=[100, 100, 150, 150],
        is_correct=[True, False, True, False],
    )
    assert cost.usd_per_generated_token == pytest.approx(0.002)
    assert cost.usd_per_generated_token_ci95 is not None
    assert cost.usd_per_generated_token_ci95[0] < 0.002 < cost.usd_per_generated_token_ci95[1]
    assert cost.usd_per_problem == pytest.approx(0.25)
    assert cost.usd_per_correct == pytest.approx(0.5)
    assert cost.usd_per_problem_ci95 is not None
    low, high = cost.usd_per_problem_ci95
    assert low < 0.25 < high


def test_none_right_is_infinitely_dear() -> None:
    cost = cost_of([0.5, 0.5], num_tokens=[10, 10], is_correct=[False, False])
    assert cost.usd_per_correct == math.inf
    assert cost.usd_per_correct_ci95 == (math.inf, math.inf)


def test_no_problem_no_figure() -> None:
    cost = cost_of([], num_tokens=[], is_correct=[])
    assert (cost.usd_per_problem, cost.usd_per_correct, cost.usd_per_generated_token) == (None, None, None)


@pytest.mark.parametrize(
    ("usd", "num_correct", "expected"),
    [
        (5.0, 80, 0.1),  # three dollars more, thirty correct answers more
        (2.0, 60, 0.0),
        (1.0, 60, -0.1),  # better and cheaper
        (5.0, 50, math.inf),
        (5.0, 40, math.inf),
        (2.0, 50, None),
        (1.0, 40, None),
    ],
)
def test_extra_dollars_for_an_extra_correct_answer(
    usd: float, num_correct: int, expected: float | None
) -> None:
    found = marginal_usd_per_correct(
        usd=usd, num_correct=num_correct, baseline_usd=2.0, baseline_num_correct=50
    )
    assert found == (None if expected is None else pytest.approx(expected))
