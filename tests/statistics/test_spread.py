"""How values spread when some of them were stopped before they were known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tts_eval.statistics.spread import Spread


def spread_of(values: list[float | None], censored: list[float] | None = None) -> Spread:
    spread = Spread.of(values, censored or ())
    assert spread is not None
    return spread


def test_a_spread_leaves_out_what_is_unknown() -> None:
    spread = spread_of([1.0, None, 2.0, 3.0])
    assert (spread.n, spread.num_censored) == (3, 0)
    assert (spread.mean, spread.std, spread.p50) == (2.0, 1.0, 2.0)
    assert spread.p95 == pytest.approx(2.9)
    assert Spread.of([None]) is None
    assert Spread.of([None], [4.0]) is None  # what nobody stopped is missing for another reason


def test_percentiles_are_those_of_kaplan_and_meier() -> None:
    """At 1 one of five goes, at 3 one of the three left, at 4 one of two: .8, .533, .267 are longer."""
    spread = spread_of([1.0, 3.0, 4.0], [2.0, 5.0])
    assert (spread.n, spread.num_censored) == (5, 2)
    assert (spread.p50, spread.p90, spread.p99, spread.std) == (4.0, None, None, None)
    assert spread.mean == pytest.approx(1 + 2 * 0.8 + 0.8 * 2 / 3 + 0.8 / 3)


def test_what_a_deadline_cut_off_does_not_make_the_rest_look_fast() -> None:
    """Seven of sixty calls were scheduled within the deadline of a second: the median waited longer."""
    spread = spread_of([0.009] * 7, [1.0] * 53)
    assert (spread.p50, spread.p99, spread.n, spread.num_censored) == (None, None, 60, 53)
    assert spread.mean > 0.8
    assert spread.p50_ci95 == (1.0, None)


def test_all_censored_is_known_to_be_longer() -> None:
    spread = spread_of([], [2.0, 4.0])
    assert (spread.n, spread.p50, spread.mean) == (2, None, 4.0)


def test_intervals_are_there_where_there_are_values_enough() -> None:
    values = np.random.default_rng(1).exponential(size=400).tolist()
    spread = spread_of(values)
    assert spread.p50_ci95 is not None and spread.p99_ci95 is not None
    assert spread.p50_ci95[0] < math.log(2) < spread.p50_ci95[1]  # type: ignore[operator]
    assert spread_of(values[:100]).p99_ci95[1] is None  # type: ignore[index]
    assert spread_of(values[:5]).p50_ci95 is None
