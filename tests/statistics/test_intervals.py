"""Intervals against values that can be looked up or reasoned out."""

import math

import numpy as np
import pytest

from tts_eval.statistics.intervals import mean_ci95, means_ci95, proportion_ci95, ratio_ci95, ratios_ci95

SCIPYS = {  # binomtest(k, n).proportion_ci(0.95, method="wilson") of scipy 1.17, slow to import
    (0, 20): (0.0, 0.161125158),
    (20, 20): (0.838874842, 1.0),
    (20, 50): (0.276083897, 0.538185623),
    (1, 3): (0.061491945, 0.792340399),
}


@pytest.mark.parametrize(("k", "n"), SCIPYS)
def test_the_score_interval_is_scipys(k: int, n: int) -> None:
    assert proportion_ci95(k, n) == pytest.approx(SCIPYS[k, n], abs=1e-8)


def test_no_trial_no_interval() -> None:
    assert proportion_ci95(0, 0) is None


def test_a_bootstrap_mean_is_close_to_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(10, 2, size=400)
    interval = mean_ci95(list(values))
    assert interval is not None
    half = 1.96 * values.std() / 20
    assert interval == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


def test_a_ratio_of_sums_resamples_pairs() -> None:
    assert ratio_ci95([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == pytest.approx((0.5, 0.5))
    assert ratio_ci95([1.0, 1.0], [0.0, 0.0]) == (math.inf, math.inf)
    assert ratio_ci95([], []) is None


@pytest.mark.parametrize("num_values", [1, 5, 60])
def test_many_rows_have_the_intervals_of_each(num_values: int) -> None:
    draw = np.random.default_rng(2)
    costs = draw.lognormal(size=(4, num_values))
    costs[1] = 3.0
    right = (draw.random((4, num_values)) < 0.4).astype(float)
    right[2] = 0.0
    for row, (mean, ratio) in enumerate(zip(means_ci95(costs), ratios_ci95(costs, right), strict=True)):
        assert mean == (None if num_values < 2 else pytest.approx(mean_ci95(costs[row])))
        assert ratio == (None if num_values < 2 else pytest.approx(ratio_ci95(costs[row], right[row])))
