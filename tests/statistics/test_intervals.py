"""Intervals against values that can be looked up or reasoned out."""

import math

import numpy as np
import pytest

from tts_eval.statistics.intervals import mean_ci95, proportion_ci95, ratio_ci95
from tts_eval.statistics.spread import Spread


def test_wilson_by_its_formula() -> None:
    n, k, z = 50, 20, 1.959963984540054
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    assert proportion_ci95(k, n) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert proportion_ci95(0, 0) is None


def test_a_bootstrap_mean_is_close_to_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(10, 2, size=400)
    interval = mean_ci95(list(values))
    assert interval is not None
    half = 1.96 * values.std() / 20
    assert interval == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


def test_a_ratio_of_sums_resamples_pairs() -> None:
    assert ratio_ci95([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == (0.5, 0.5)
    assert ratio_ci95([1.0, 1.0], [0.0, 0.0]) == (math.inf, math.inf)
    assert ratio_ci95([], []) is None


def test_a_spread_leaves_out_what_is_unknown() -> None:
    spread = Spread.of([1.0, None, 2.0, 3.0])
    assert spread is not None
    assert (spread.mean, spread.p50) == (2.0, 2.0)
    assert Spread.of([None]) is None
