"""One score of many: each way worked out by hand."""

from __future__ import annotations

import pytest

from tts_eval.toolkit.voting import AGGREGATIONS, aggregate


@pytest.mark.parametrize(
    ("how", "expected"), [("min", 0.2), ("product", 0.05), ("last", 0.5), ("mean", 0.4), ("max", 0.5)]
)
def test_each_way_of_aggregating(how: str, expected: float) -> None:
    assert aggregate([0.5, 0.2, 0.5], how) == pytest.approx(expected)


@pytest.mark.parametrize("how", AGGREGATIONS)
def test_a_trace_without_steps_has_earned_nothing(how: str) -> None:
    assert aggregate([], how) == 0.0


def test_an_unknown_way_is_refused_with_those_allowed() -> None:
    with pytest.raises(ValueError, match=r"aggregation='median' is not known; allowed: min, product, last"):
        aggregate([0.5], "median")
