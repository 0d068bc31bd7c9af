"""What the engine's own stamps say of a request, on the clock of its submission."""

from __future__ import annotations

import pytest
from vllm.v1.metrics.stats import RequestStateStats

from tts_eval.engines.vllm.outputs import timing_of


def stamps(*, arrival_s: float) -> RequestStateStats:
    """A request that came in at `arrival_s` by one clock and was served from 5 to 8 by another."""
    return RequestStateStats(
        arrival_time=arrival_s,
        queued_ts=4.0,
        scheduled_ts=5.0,
        first_token_ts=6.0,
        last_token_ts=8.0,
        first_token_latency=2.5,
    )


def test_a_first_token_counts_from_the_submission_not_from_the_engines_arrival() -> None:
    timing = timing_of(
        stamps(arrival_s=100.75), [(6.0, 1), (7.0, 2), (8.0, 1)], num_tokens=4, submitted_at_s=100.0
    )

    assert timing.first_token_s == pytest.approx(3.25)
    assert timing.token_times_s == pytest.approx((3.25, 4.25, 4.25, 5.25))
    assert (timing.queue_s, timing.prefill_s, timing.decode_s) == (1.0, 1.0, 2.0)


def test_a_clock_that_was_set_back_takes_nothing_away() -> None:
    timing = timing_of(stamps(arrival_s=99.0), [], num_tokens=4, submitted_at_s=100.0)

    assert timing.first_token_s == pytest.approx(2.5)
