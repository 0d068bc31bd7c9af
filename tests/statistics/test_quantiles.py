"""Intervals of quantiles: exact for order statistics, open where n is too small, covering as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tts_eval.statistics.quantiles import quantile_ci95

NUM_TRIALS = 2000


@pytest.mark.parametrize(
    ("q", "n"), [(0.5, 30), (0.5, 100), (0.5, 1000), (0.99, 30), (0.99, 100), (0.99, 200), (0.99, 1000)]
)
def test_nineteen_of_twenty_hold_the_quantile(q: float, n: int) -> None:
    random = np.random.default_rng(0)
    draws = random.lognormal(sigma=1.5, size=(NUM_TRIALS, n))
    truth = math.exp(1.5 * {0.5: 0.0, 0.99: 2.3263}[q])
    hits = 0
    for values in draws:
        interval = quantile_ci95(values, q)
        assert interval is not None
        low, high = interval
        hits += (low is None or low <= truth) and (high is None or truth <= high)
    assert 0.93 <= hits / NUM_TRIALS <= 0.97


@pytest.mark.parametrize(("q", "fewest"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_both_ends_need_so_many_values(q: float, fewest: int) -> None:
    """The largest of n is below the quantile in q^n of all draws, which must not be above 2.5%."""
    few, enough = (quantile_ci95([float(i) for i in range(n)], q) for n in (fewest - 1, fewest))
    assert enough is not None
    assert enough[1] == pytest.approx(fewest - 1, abs=0.2)
    assert few is None or few[1] is None


def test_a_low_quantile_has_no_lower_end() -> None:
    values = [float(i) for i in range(100)]
    low, high = quantile_ci95(values, 0.01) or (0, 0)
    mirrored, none = quantile_ci95(values, 0.99) or (0, 0)
    assert (low, none) == (None, None)
    assert high == pytest.approx(99 - (mirrored or 0))


def test_dependent_values_count_for_fewer() -> None:
    values = [float(value) for value in range(1001)]
    wide, narrow = quantile_ci95(values, 0.5, num_effective=100), quantile_ci95(values, 0.5)
    assert wide is not None
    assert narrow is not None
    assert wide == pytest.approx((403, 597), abs=3)  # 500 -+ 1.96 * 1000 / (2 * sqrt(100))
    assert narrow == pytest.approx((469, 531), abs=3)
    low, high = quantile_ci95(values, 0.99, num_effective=100) or (None, 0.0)
    assert low == pytest.approx(976, abs=5)
    assert high is None


def test_an_end_that_falls_on_what_was_cut_off_is_unknown() -> None:
    values = [*range(65), *[math.inf] * 35]
    assert (quantile_ci95(values, 0.5) or ()) == pytest.approx((40, 59), abs=2)
    low, high = quantile_ci95(values, 0.6) or (0, 0)
    assert low == pytest.approx(50, abs=2)
    assert high is None


def test_no_value_no_interval() -> None:
    assert quantile_ci95([], 0.5) is None
    assert quantile_ci95([1.0] * 5, 0.5) is None
    with pytest.raises(ValueError, match="q must be a number between 0 and 1, not 99"):
        quantile_ci95([1.0], 99)
