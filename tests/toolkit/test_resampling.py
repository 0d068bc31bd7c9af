"""Weights become whole numbers of copies."""

import math

import pytest

from tts_eval.toolkit.resampling import (
    annealed_temperature,
    effective_share,
    log_odds,
    normalized_entropy,
    rebase_allocation,
    softmax,
    systematic,
)


def test_evenly_spaced_pointers_pick_by_weight() -> None:
    weights = [0.5, 0.25, 0.125, 0.125]
    assert systematic(weights, 0.0) == [0, 0, 1, 2]  # pointers at 0, .25, .5, .75
    assert systematic(weights, 0.6) == [0, 0, 1, 3]  # pointers at .15, .4, .65, .9
    assert systematic([1 / 3] * 3, 0.999999) == [0, 1, 2]


def test_each_is_picked_floor_or_ceil_of_its_expectation() -> None:
    weights = softmax([0.3, 1.2, -0.5, 2.0, 0.0, 0.7])
    for draw in range(100):
        chosen = systematic(weights, draw / 100)
        assert len(chosen) == 6
        for index, weight in enumerate(weights):
            assert math.floor(6 * weight) <= chosen.count(index) <= math.ceil(6 * weight)


def test_a_sum_just_below_one_still_fills_every_place() -> None:
    assert systematic([0.1] * 9 + [0.0999999], 0.9999999) == list(range(10))


def test_odds_of_certain_scores_stay_finite() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(1.0) == pytest.approx(-log_odds(0.0)) == pytest.approx(16.1, abs=0.1)


def test_collapsed_weights_are_flattened_more_the_earlier_it_is() -> None:
    even, collapsed = [0.25] * 4, [0.97, 0.01, 0.01, 0.01]
    assert effective_share(even) == 1
    assert effective_share(collapsed) == pytest.approx(0.2656, abs=1e-4)
    assert normalized_entropy(even) == pytest.approx(1)
    assert normalized_entropy(collapsed) == pytest.approx(0.1210, abs=1e-4)
    assert annealed_temperature(even, progress=0) == pytest.approx(1)
    assert annealed_temperature(collapsed, progress=0) == pytest.approx(1 / 0.1210, abs=0.01)
    assert annealed_temperature(collapsed, progress=0.5) == pytest.approx(1 / 0.5605, abs=0.01)


def test_rebase_gives_the_best_its_share_rounded_up_and_keeps_the_total() -> None:
    assert rebase_allocation([0.9, 0.3, 0.7, 0.1], 4, temperature=0.2) == [3, 0, 1, 0]
    assert rebase_allocation([0.5, 0.5, 0.5, 0.5], 4, temperature=0.2) == [1, 1, 1, 1]
    assert rebase_allocation([0.5, 0.5, 0.5], 4, temperature=0.2) == [2, 1, 1]
    assert rebase_allocation([], 0, temperature=0.2) == []
    for width in range(1, 40):
        assert sum(rebase_allocation([0.1, 0.9, 0.4, 0.4, 0.0, 1.0], width, temperature=0.01)) == width
