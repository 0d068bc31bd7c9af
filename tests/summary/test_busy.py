"""Who an engine worked for, at every moment."""

from __future__ import annotations

import random

import pytest

from tts_eval.summary.cost import busy_shares_s


def test_calls_share_the_moments_they_have_in_common() -> None:
    """Alone for 2 s; two together for 2 s; three for 1 s; nobody until 9 s."""
    shares_s = busy_shares_s([(0.0, 5.0), (2.0, 5.0), (4.0, 5.0), (9.0, 10.0)])

    assert shares_s == pytest.approx([2 + 1 + 1 / 3, 1 + 1 / 3, 1 / 3, 1.0])


def test_shares_add_up_to_the_time_in_which_anything_ran() -> None:
    rng = random.Random(0)
    starts_s = [rng.uniform(0, 50) for _ in range(200)]
    calls = [(start_s, start_s + rng.uniform(0, 0.5)) for start_s in starts_s]
    grid = [second / 1000 for second in range(51_000)]
    busy_s = sum(any(start_s <= at_s < end_s for start_s, end_s in calls) for at_s in grid) / 1000

    assert sum(busy_shares_s(calls)) == pytest.approx(busy_s, rel=0.01)


def test_no_call_no_share() -> None:
    assert busy_shares_s([]) == []


def test_a_call_keeps_one_replica_busy_and_many_calls_all() -> None:
    """Two replicas: alone from 0 to 2 s, two together to 4 s, three to 6 s, of which each has two thirds."""
    calls = [(0.0, 6.0), (2.0, 6.0), (4.0, 6.0)]
    shares_s = busy_shares_s(calls, num_replicas=2)

    assert shares_s == pytest.approx([2 + 2 + 4 / 3, 2 + 4 / 3, 4 / 3])
    assert sum(shares_s) == pytest.approx(2 + 4 + 4)
