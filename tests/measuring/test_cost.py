"""Dollars, worked out on paper."""

import math

import pytest

from tts_eval.measuring.cost import cost_of, wall_usd


def test_four_gpus_for_half_an_hour_at_two_dollars() -> None:
    assert wall_usd(num_gpus=4, wall_s=1800, usd_per_gpu_hour=2.0) == 4.0


def test_a_dollar_over_four_problems_two_of_them_right() -> None:
    cost = cost_of(
        1.0,
        calls_s=[1.0, 1.0, 2.0, 1.0],  # the third problem's share is two fifths
        num_tokens=[100, 100, 150, 150],
        is_correct=[True, False, True, False],
    )
    assert cost.usd_per_generated_token == pytest.approx(0.002)
    assert cost.usd_per_generated_token_ci95 is not None
    assert cost.usd_per_generated_token_ci95[0] < 0.002 < cost.usd_per_generated_token_ci95[1]
    assert cost.usd_per_problem == 0.25
    assert cost.usd_per_correct == 0.5
    assert cost.usd_per_problem_ci95 is not None
    low, high = cost.usd_per_problem_ci95
    assert low < 0.25 < high


def test_none_right_is_infinitely_dear() -> None:
    cost = cost_of(1.0, calls_s=[1.0, 1.0], num_tokens=[10, 10], is_correct=[False, False])
    assert cost.usd_per_correct == math.inf
    assert cost.usd_per_correct_ci95 == (math.inf, math.inf)


def test_no_problem_no_figure() -> None:
    cost = cost_of(0.0, calls_s=[], num_tokens=[], is_correct=[])
    assert (cost.usd_per_problem, cost.usd_per_correct, cost.usd_per_generated_token) == (None, None, None)
