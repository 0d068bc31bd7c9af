"""Gaps between tokens: counted by token, put together over calls, right within a percent."""

import numpy as np
import pytest

from tts_eval.measuring.gaps import gap_counts, gap_spread


def test_five_tokens_have_four_gaps() -> None:
    spread = gap_spread([gap_counts([0.0, 0.1, 0.2, 0.3, 1.3])])
    assert spread is not None
    assert spread.p50 == pytest.approx(0.1, rel=0.01)
    assert spread.p99 == pytest.approx(1.0, rel=0.01)
    assert spread.mean == pytest.approx(1.3 / 4, rel=0.01)


def test_tokens_of_one_step_share_its_gap() -> None:
    """A first token, then 4 accepted together after 0.4 s: four gaps of 0.1 s, not one of 0.4."""
    counts = gap_counts([0.0, 0.4, 0.4, 0.4, 0.4])
    assert [num for _, num in counts] == [4]
    spread = gap_spread([counts])
    assert spread is not None
    assert spread.p99 == pytest.approx(0.1, rel=0.01)


def test_calls_are_put_together_by_their_tokens() -> None:
    random = np.random.default_rng(0)
    calls_s = [random.lognormal(-4, 1, size=num) for num in (10, 200, 3000)]
    spread = gap_spread(gap_counts([0.0, *np.cumsum(gaps_s).tolist()]) for gaps_s in calls_s)
    assert spread is not None
    gaps_s = np.concatenate(calls_s)
    for q, found in ((50, spread.p50), (90, spread.p90), (99, spread.p99)):
        assert found == pytest.approx(np.percentile(gaps_s, q), rel=0.02)
    assert spread.mean == pytest.approx(gaps_s.mean(), rel=0.01)


def test_one_token_or_none_has_no_gap() -> None:
    assert gap_counts([0.3]) == gap_counts([]) == ()
    assert gap_spread([(), ()]) is None
