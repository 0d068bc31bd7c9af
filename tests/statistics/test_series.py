"""Times in a queue: a short run says nothing of the load, a long one as much as its batches do."""

from __future__ import annotations

import numpy as np
import pytest

from tts_eval.statistics.series import correlation_time, series_mean_ci95, series_quantile_ci95


def autoregressive(n: int, correlation: float, seed: int = 0) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for i in range(1, n):
        values[i] = correlation * values[i - 1] + steps[i]
    return values


@pytest.mark.parametrize(("correlation", "time"), [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0)])
def test_a_correlation_time(correlation: float, time: float) -> None:
    """That of an autoregression is (1 + r) / (1 - r)."""
    assert correlation_time(autoregressive(50_000, correlation)) == pytest.approx(time, rel=0.15)


def test_a_run_that_is_too_short_has_no_interval() -> None:
    assert series_mean_ci95(autoregressive(1000, 0.0)) is None
    assert series_mean_ci95(autoregressive(5000, 0.8)) is None
    assert series_quantile_ci95(autoregressive(5000, 0.8), 0.5) is None


def test_a_long_run_has_that_of_its_batches() -> None:
    hits = 0
    for seed in range(40):
        low, high = series_mean_ci95(autoregressive(10_000, 0.5, seed)) or (1, -1)
        hits += low <= 0 <= high
    assert hits >= 34
    interval = series_quantile_ci95(autoregressive(10_000, 0.5), 0.5)
    assert interval is not None
    assert interval[0] is not None and interval[0] < 0.1
    assert interval[1] is not None and interval[1] > -0.1


def test_equal_values_do_not_hang_together() -> None:
    assert correlation_time([2.0] * 50) == 1
