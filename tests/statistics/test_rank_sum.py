"""The rank sum against scipy's."""

import numpy as np
import pytest
from scipy import stats

from tts_eval.statistics.rank_sum import rank_sum_z


def test_the_score_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    smaller, larger = random.normal(0, 1, 30), random.normal(0.5, 1, 40)
    found = stats.mannwhitneyu(
        larger, smaller, use_continuity=False, method="asymptotic", alternative="greater"
    )
    assert stats.norm.sf(rank_sum_z(smaller.tolist(), larger.tolist())) == pytest.approx(found.pvalue)


def test_equal_groups_and_empty_ones_score_nothing() -> None:
    assert rank_sum_z([1.0, 2.0], [1.0, 2.0]) == 0.0
    assert rank_sum_z([], [1.0]) == 0.0
