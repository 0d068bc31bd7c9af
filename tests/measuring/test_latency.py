"""Times of calls, and of what lies between them, worked out on paper."""

import pytest

from tests.measuring.test_meter import call
from tts_eval.measuring.latency import barrier_wait_s, e2e_per_token_s, idle_s, tpot_excl_first_s, ttft_s


@pytest.mark.parametrize(
    ("num_tokens", "decode_s", "expected"), [(5, 2.0, 0.5), (1, 2.0, None), (5, None, None)]
)
def test_time_per_output_token_leaves_the_first_out(
    num_tokens: int, decode_s: float | None, expected: float | None
) -> None:
    assert tpot_excl_first_s(call(num_generated_tokens=num_tokens, decode_s=decode_s)) == expected


def test_the_other_time_per_output_token_counts_from_submission() -> None:
    assert e2e_per_token_s(call()) == pytest.approx(5.0 / 5)  # submitted at 3, five tokens, ended at 8
    assert e2e_per_token_s(call(num_generated_tokens=0)) is None
    assert ttft_s(call()) == 1.0


def test_idle_is_when_no_call_is_in_flight() -> None:
    """Begun at 1; calls 2-5 and 4-6, then 8-9; answered at 10: idle 1-2, 6-8, 9-10."""
    calls = [
        call(submitted_s=4.0, finished_s=6.0),
        call(submitted_s=2.0, finished_s=5.0),
        call(submitted_s=8.0, finished_s=9.0),
    ]
    assert idle_s(calls, begun_s=1.0, finished_s=10.0) == 4.0
    assert idle_s([], begun_s=1.0, finished_s=10.0) == 9.0


def test_samples_of_a_vote_wait_for_the_slowest() -> None:
    calls = [call(submitted_s=0.0, finished_s=end_s) for end_s in (1.0, 2.0, 9.0)]
    assert barrier_wait_s(calls, finished_s=9.0) == pytest.approx((8 + 7 + 0) / 3)


def test_a_chain_waits_for_nobody() -> None:
    calls = [call(submitted_s=s, finished_s=s + 1.0) for s in (0.0, 1.0, 2.0)]
    assert barrier_wait_s(calls, finished_s=3.0) == 0.0
    assert barrier_wait_s([], finished_s=3.0) is None
