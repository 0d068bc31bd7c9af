"""Confidences of tokens become one of the trace."""

import pytest

from tts_eval.toolkit.confidence import (
    Descent,
    bottom,
    first_drop,
    group_means,
    lowest,
    mean,
    percentile,
    tail,
)

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


def test_a_growing_trace_is_looked_at_once_a_token() -> None:
    """32,768 tokens in looks of 32: the same drop as from the whole, each token read once or twice."""

    class Counted(list[float]):
        num_read = 0

        def __getitem__(self, place):  # type: ignore[no-untyped-def]
            Counted.num_read += 1
            return super().__getitem__(place)

    confidences = [10.0 + (place * 7919 % 13) / 10 for place in range(32768)] + [1.0] * 100
    descent = Descent(2048, 10.2)
    drops = [descent.first_drop(Counted(confidences[:end])) for end in range(32, len(confidences) + 1, 32)]
    found = [drop for drop in drops if drop is not None]
    assert found[:1] == [first_drop(confidences, 2048, 10.2)]
    assert Counted.num_read < 2 * (len(confidences) + 32 * len(found))


def test_a_trace_as_sure_as_the_threshold_is_never_stopped() -> None:
    """Sums of tenths are off by their last bits, the more the longer they run."""
    confidences = [0.1, 0.7, 0.3] * 3000
    descent = Descent(30, lowest(confidences, 30))
    assert descent.first_drop(confidences) is None
