"""Speculative decoding: the published closed forms."""

from __future__ import annotations

import pytest

from tts_eval.planning.speculation import Speculation, acceptance_length, speed_up


@pytest.mark.parametrize(
    ("rate", "drafts", "ratio"),
    [(0.6, 3, 1.89), (0.6, 5, 1.91), (0.8, 3, 2.57), (0.8, 5, 2.95), (0.9, 3, 2.99), (0.9, 5, 3.75)],
)
def test_speed_up_where_verifying_costs_no_more_than_a_step(rate: float, drafts: int, ratio: float) -> None:
    assert speed_up(rate, drafts, draft_cost=0.05) == pytest.approx(ratio, abs=0.005)


def test_drafts_that_are_always_accepted_all_come_out() -> None:
    assert acceptance_length(1.0, 4) == 5
    assert acceptance_length(0.0, 4) == 1


def test_no_more_tokens_come_out_than_are_verified() -> None:
    with pytest.raises(ValueError, match=r"acceptance_length must be a number from 1 to 4, not 4\.5"):
        Speculation(3, 4.5)
