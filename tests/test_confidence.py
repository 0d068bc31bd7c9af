"""Confidences of tokens become one of the trace."""

import pytest

from tts_eval.confidence import bottom, first_drop, group_means, lowest, mean, percentile, tail

VALUES = [4.0, 2.0, 6.0, 8.0, 10.0]


def test_groups_slide_one_token_at_a_time() -> None:
    assert group_means(VALUES, 2) == [3.0, 4.0, 7.0, 9.0]
    assert group_means(VALUES, 99) == [6.0]
    assert group_means([], 2) == [0.0]


def test_one_figure_of_a_trace() -> None:
    assert mean(VALUES, 2) == 6.0
    assert tail(VALUES, 2) == 9.0
    assert lowest(VALUES, 2) == 3.0
    assert bottom(VALUES, 2) == 3.0
    assert bottom([float(i) for i in range(30)], 1) == 1.0  # of 0, 1, 2


def test_only_a_full_window_can_fall_below() -> None:
    assert first_drop([1.0, 9.0, 9.0, 1.0, 1.0], 2, 5.5) == 2
    assert first_drop([9.0, 9.0, 1.0, 1.0], 2, 4.0) == 4
    assert first_drop([1.0], 2, 5.0) is None
    assert first_drop([9.0, 9.0], 2, 9.0) is None


def test_percentiles_lie_between_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([0.0, 10.0], 0.1) == pytest.approx(1.0)
    assert percentile([5.0], 0.9) == 5.0
